/**
 * What docs/protocol.md says of one side of a connection, without bytes: frames are objects, and a test hands them over.
 *
 * It says exactly what a session has to write and to tell. Only where a limit on bytes not yet written decides, which this does not
 * count to the byte, it takes over what the session answered, and fails where that cannot be right.
 */

import type { CodeName } from "../../packages/core/ts/src/code.js";
import type { Kind } from "./frames.js";
import { type ModelCall, newCall } from "./model-call.js";
import type { Answer, JsonEvent, JsonHeader, JsonLog, JsonStatus, Operation } from "./step.js";

/** The limits of a side. */
export interface ModelLimits {
  readonly max_message_bytes: number;
  readonly max_pending_requests: number;
  readonly initial_credit_bytes: number;
  readonly max_buffer_bytes: number;
}

/** A frame that a side has to write. */
export interface ModelFrame {
  readonly kind: Kind;
  readonly call: number;
  readonly end?: boolean;
  readonly service?: string;
  readonly method?: string;
  readonly payload?: string;
  readonly header?: JsonHeader | undefined;
  readonly status?: JsonStatus;
  readonly bytes?: number;
  readonly record?: JsonLog;
  /** The limits that a HELLO tells. */
  readonly limits?: ModelLimits;
  /** It may be missing: a log record that was dropped because the output was full. */
  readonly mayBeMissing?: boolean;
}

/** An event that a side has to tell. */
export interface ModelEvent extends JsonEvent {
  /** It comes when something of the output was taken, where the output is full. */
  readonly mayComeLater?: boolean;
}

/** What a frame takes at most beside its message, in the sessions of these tests. */
const mostFrameOverhead = 300;

const success: JsonStatus = { code: "OK" };

/** One side. */
export class Model {
  /** What the session has to tell and has not told yet. */
  readonly events: ModelEvent[] = [];
  /** What the session has to write and has not given yet. */
  readonly written: ModelFrame[] = [];
  /** The calls that are open, or hold messages that the application has not consumed. */
  readonly calls = new Map<number, ModelCall>();
  drainedTold = false;
  readonly #role: "host" | "plugin";
  readonly #methods: readonly string[];
  #limits: ModelLimits;
  readonly #set: Partial<ModelLimits>;
  #peer: ModelLimits | undefined;
  #nextId: number;
  #drainSent = false;
  #drainReceived = false;
  #waitingForOutput: number[] = [];

  constructor(role: "host" | "plugin", defaults: ModelLimits, set: Partial<ModelLimits>, methods: readonly string[]) {
    this.#role = role;
    this.#limits = { ...defaults, ...set };
    this.#set = set;
    this.#methods = methods;
    this.#nextId = role === "host" ? 1 : 2;
    if (role === "host") this.#write({ kind: "HELLO", call: 0, limits: this.#limits });
  }

  /** The calls that are open. */
  get open(): ModelCall[] {
    return [...this.calls.values()].filter(({ isOpen }) => isOpen);
  }

  /** Does what the session did, and says what it should have answered. */
  perform(operation: Operation, answer: Answer): Answer["returns"] | CodeName {
    switch (operation.do) {
      case "request":
        return this.#request(operation, answer);
      case "send_message":
        return this.#sendMessage(operation, answer) ?? null;
      case "half_close": {
        const call = this.#openCall(operation.call);
        if (call?.sends !== true || call.isCallee) return null;
        call.sends = false;
        this.#write({ kind: "END", call: call.id });
        return null;
      }
      case "end_call": {
        const call = this.#openCall(operation.call);
        if (call?.isCallee === true) this.#endAsCallee(call, operation.status);
        return null;
      }
      case "cancel":
      case "expire": {
        const call = this.calls.get(operation.call);
        if (call?.isOpen === true)
          this.#abort(call, operation.do === "cancel" ? operation.status : { code: "DEADLINE_EXCEEDED" });
        else this.calls.delete(operation.call);
        return null;
      }
      case "consume":
        this.#consume(operation.call, operation.bytes);
        return null;
      case "credit":
        return { bytes: this.#creditOf(operation.call, answer) };
      case "ping":
        if (this.#peer === undefined) return "FAILED_PRECONDITION";
        this.#write({ kind: "PING", call: 0, payload: operation.payload });
        return null;
      case "log":
        if (this.#peer === undefined) return null;
        this.#write({ kind: "LOG", call: 0, record: operation.record, mayBeMissing: this.#mayBeFull(0) });
        return null;
      case "drain":
        if (this.#drainSent) return null;
        this.#drainSent = true;
        if (this.#peer !== undefined) this.#write({ kind: "GOAWAY", call: 0 });
        this.#tellDrained();
        return null;
    }
  }

  /** The written frames were taken. */
  taken(): void {
    this.written.length = 0;
    for (const id of this.#waitingForOutput.splice(0)) {
      const call = this.calls.get(id);
      if (call === undefined) continue;
      call.waitsForOutput = false;
      if (call.isOpen && call.credit > 0) this.events.push({ type: "writable", call: id });
    }
  }

  /** An event that may come later has not come now. */
  postponed({ call: id }: ModelEvent): void {
    const call = this.calls.get(Number(id));
    if (call !== undefined) this.#waitForOutput(call);
  }

  /** A frame of the peer has come. */
  receive(frame: ModelFrame): void {
    switch (frame.kind) {
      case "HELLO":
        return this.#hello(frame);
      case "REQUEST":
        return this.#requested(frame);
      case "MESSAGE":
        return this.#message(frame);
      case "END":
        return this.#ended(frame);
      case "CANCEL": {
        const call = this.calls.get(frame.call);
        if (call === undefined) return;
        this.calls.delete(call.id);
        this.events.push({ type: "cancelled", call: call.id, status: frame.status ?? { code: "CANCELLED" } });
        return this.#tellDrained();
      }
      case "CREDIT": {
        const call = this.#openCall(frame.call);
        if (call?.sends !== true) return;
        const before = call.credit;
        call.credit += frame.bytes ?? 0;
        if (before <= 0 && call.credit > 0) this.#tellWritable(call);
        return;
      }
      case "PING":
        return this.#write({ kind: "PONG", call: 0, payload: frame.payload ?? "" });
      case "PONG":
        this.events.push({ type: "pong", payload: frame.payload });
        return;
      case "LOG":
        this.events.push({ type: "log", record: frame.record });
        return;
      case "GOAWAY":
        this.#drainReceived = true;
        this.events.push({ type: "goaway", status: null });
        return this.#tellDrained();
    }
  }

  // --- what this side does ---------------------------------------------------------------------

  #request(operation: Operation & { do: "request" }, answer: Answer): Answer["returns"] | CodeName {
    if (this.#peer === undefined) return "FAILED_PRECONDITION";
    if (this.#drainSent || this.#drainReceived) return "UNAVAILABLE";
    const { service, method, header, payload = "", end } = operation;
    if (!this.#methods.includes(method)) return "UNIMPLEMENTED";
    const bytes = payload.length / 2;
    const open = this.open.filter(({ isCallee }) => !isCallee).length;
    if (open >= this.#peer.max_pending_requests || bytes > this.#longestMessage()) return "RESOURCE_EXHAUSTED";
    if (end && this.#wasFull(answer, bytes, true)) return "RESOURCE_EXHAUSTED";
    const id = this.#nextId;
    this.#nextId += 2;
    const { initial_credit_bytes: window } = this.#peer;
    this.calls.set(id, newCall({ id, isCallee: false, sends: !end, receives: true, window, credit: window - bytes }));
    this.#write({ kind: "REQUEST", call: id, end, service, method, header, payload });
    return { call: id };
  }

  #sendMessage(operation: Operation & { do: "send_message" }, answer: Answer): CodeName | undefined {
    const { payload, end, header } = operation;
    const call = this.#openCall(operation.call);
    if (call === undefined) return undefined;
    if (!call.sends || (header !== undefined && (!call.isCallee || call.sent))) return "FAILED_PRECONDITION";
    const bytes = payload.length / 2;
    const status: JsonStatus = { code: "RESOURCE_EXHAUSTED" };
    if (bytes > this.#longestMessage()) {
      if (call.isCallee) this.#endAsCallee(call, status);
      else this.#abort(call, status);
      return "RESOURCE_EXHAUSTED";
    }
    if (call.credit <= 0) return "RESOURCE_EXHAUSTED";
    if (this.#wasFull(answer, bytes, false)) {
      this.#waitForOutput(call);
      return "RESOURCE_EXHAUSTED";
    }
    call.credit -= bytes;
    call.sent = true;
    call.sends = !end;
    this.#write({ kind: "MESSAGE", call: call.id, end, header, payload });
    if (end && call.isCallee) {
      this.calls.delete(call.id);
      this.#tellDrained();
    }
    return undefined;
  }

  #consume(id: number, bytes: number): void {
    const call = this.calls.get(id);
    if (call === undefined) return;
    const { isOpen, receives } = call;
    call.held.shift();
    if (!isOpen && call.held.length === 0) this.calls.delete(id);
    if (!isOpen || !receives) return;
    call.consumed += bytes;
    if (call.consumed === 0 || call.consumed * 2 < this.#limits.initial_credit_bytes) return;
    this.#write({ kind: "CREDIT", call: id, bytes: call.consumed });
    call.consumed = 0;
  }

  #creditOf(id: number, answer: Answer): number {
    const call = this.#openCall(id);
    if (call === undefined || call.credit <= 0) return 0;
    if (answer.returns?.bytes !== 0) return call.credit;
    if (!this.#mayBeFull(0)) throw new Error(`call ${id} has credit, but is told that it has none`);
    this.#waitForOutput(call);
    return 0;
  }

  // --- what the peer does ----------------------------------------------------------------------

  #hello({ limits }: ModelFrame): void {
    if (limits === undefined) throw new Error("a HELLO tells limits");
    if (this.#role === "plugin") {
      const { max_buffer_bytes } = this.#limits;
      this.#limits = { ...limits, max_buffer_bytes, ...this.#set };
      this.#write({ kind: "HELLO", call: 0, limits: this.#limits });
    }
    this.#peer = limits;
    this.events.push({ type: "hello" });
    if (this.#drainSent) this.#write({ kind: "GOAWAY", call: 0 });
  }

  #requested({ call: id, end = false, service, method, header, payload }: ModelFrame): void {
    const refusal = this.#refusal(header);
    if (refusal !== undefined) return this.#write({ kind: "END", call: id, status: { code: refusal } });
    const window = this.#peer?.initial_credit_bytes ?? 0;
    this.calls.set(id, newCall({ id, isCallee: true, sends: true, receives: !end, window, credit: window }));
    const message = end ? payload : null;
    this.events.push({ type: "request", call: id, service, method, header: header ?? null, payload: message, end });
  }

  #refusal(header: JsonHeader | undefined): CodeName | undefined {
    if (this.#drainSent) return "UNAVAILABLE";
    const open = this.open.filter(({ isCallee }) => isCallee).length;
    if (open >= this.#limits.max_pending_requests) return "RESOURCE_EXHAUSTED";
    return header?.timeout_ms === 0 ? "DEADLINE_EXCEEDED" : undefined;
  }

  #message({ call: id, end = false, header, payload = "" }: ModelFrame): void {
    const call = this.#openCall(id);
    if (call?.receives !== true) return;
    const bytes = payload.length / 2;
    // A message that is the only one of its direction is not counted.
    if (call.received || !end) {
      const held = [...this.calls.values()].flatMap((one) => one.held).reduce((sum, size) => sum + size, 0);
      if (held > 0 && held + bytes > this.#limits.max_buffer_bytes)
        return this.#abort(call, { code: "RESOURCE_EXHAUSTED" });
      call.held.push(bytes);
    }
    call.received = true;
    call.receives = !end;
    this.events.push({ type: "message", call: id, payload, end, header: header ?? null });
    if (end && !call.isCallee) this.#endAsCaller(call);
  }

  #ended({ call: id, status = success }: ModelFrame): void {
    const call = this.#openCall(id);
    if (call?.receives !== true) return;
    call.receives = false;
    this.events.push({ type: "end", call: id, status });
    if (!call.isCallee) this.#endAsCaller(call);
  }

  // --- calls -----------------------------------------------------------------------------------

  #openCall(id: number): ModelCall | undefined {
    const call = this.calls.get(id);
    return call?.isOpen === true ? call : undefined;
  }

  #endAsCallee(call: ModelCall, status: JsonStatus): void {
    this.#write({ kind: "END", call: call.id, status });
    this.calls.delete(call.id);
    this.#tellDrained();
  }

  #endAsCaller(call: ModelCall): void {
    call.isOpen = false;
    if (call.held.length === 0) this.calls.delete(call.id);
    this.#tellDrained();
  }

  #abort(call: ModelCall, status: JsonStatus): void {
    this.#write({ kind: call.isCallee ? "END" : "CANCEL", call: call.id, status });
    this.calls.delete(call.id);
    this.events.push({ type: call.isCallee ? "cancelled" : "end", call: call.id, status });
    this.#tellDrained();
  }

  #tellDrained(): void {
    if (this.drainedTold || !(this.#drainSent || this.#drainReceived) || this.open.length > 0) return;
    this.drainedTold = true;
    this.events.push({ type: "drained" });
  }

  // --- output ----------------------------------------------------------------------------------

  #write(frame: ModelFrame): void {
    this.written.push(frame);
  }

  #longestMessage(): number {
    return this.#peer?.max_message_bytes ?? Number.POSITIVE_INFINITY;
  }

  #waitForOutput(call: ModelCall): void {
    if (!call.waitsForOutput) this.#waitingForOutput.push(call.id);
    call.waitsForOutput = true;
  }

  /** Whether the session said that too much waits to be written. */
  #wasFull(answer: Answer, bytes: number, isWholeCall: boolean): boolean {
    const { max_buffer_bytes: limit } = this.#limits;
    const least = this.#leastWaiting();
    if (answer.fails === undefined) {
      const isOver = isWholeCall ? this.written.length > 0 && least + bytes > limit : least >= limit;
      if (isOver)
        throw new Error(`${least} bytes or more were not taken, and a message was accepted over the limit of ${limit}`);
      return false;
    }
    if (!this.#mayBeFull(isWholeCall ? bytes : 0)) {
      throw new Error(`a message was refused, at ${least} bytes that were not taken: ${answer.fails.message}`);
    }
    return true;
  }

  /** Once the output is not full. */
  #tellWritable(call: ModelCall): void {
    if (this.#leastWaiting() >= this.#limits.max_buffer_bytes) this.#waitForOutput(call);
    else this.events.push({ type: "writable", call: call.id, mayComeLater: this.#mayBeFull(0) });
  }

  #leastWaiting(): number {
    return this.written.reduce((sum, { payload = "" }) => sum + 12 + payload.length / 2, 0);
  }

  #mayBeFull(bytes: number): boolean {
    const most = this.written.reduce(
      (sum, { payload = "" }) => sum + mostFrameOverhead + payload.length / 2,
      mostFrameOverhead,
    );
    return this.written.length > 0 && most + bytes >= this.#limits.max_buffer_bytes;
  }
}
