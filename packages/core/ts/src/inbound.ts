/** The reading half of a session: what each frame of the peer means. */

import { Credit as WireCredit } from "@anyplug/protocol/anyplug/wire/v1/call.js";
import { GoAway as WireGoAway } from "@anyplug/protocol/anyplug/wire/v1/connection.js";
import { Call } from "./call.js";
import { Code } from "./code.js";
import { decodeMessage } from "./codec.js";
import { AnyplugError } from "./error.js";
import { MessageEvent, RequestEvent } from "./event.js";
import { FrameDecoder, FrameKind, flagEnd, flagHeader, kindName } from "./frame.js";
import { type CallHeader, decodeHeader } from "./header.js";
import { decodeHello, type Hello, MethodTable, magic, negotiateVersion } from "./hello.js";
import { frameAllowanceBytes, mergeLimits } from "./limits.js";
import { decodeLog } from "./log.js";
import type { SessionState } from "./state.js";
import { decodeStatus, encodeStatus, failure, type Status, statusFromWire, statusOf } from "./status.js";

const maxPingBytes = 64;
/** A request with more names in its origin is refused: two plugins that answer each other come to an end. */
const maxOriginNames = 16;

/** Reads what the peer sends. */
export class Inbound {
  readonly #state: SessionState;
  readonly #decoder: FrameDecoder;
  readonly #magic = new Uint8Array(magic.length);
  #magicBytes = 0;

  constructor(state: SessionState) {
    this.#state = state;
    this.#decoder = new FrameDecoder(state.limits.maxMessageBytes + frameAllowanceBytes, magic.length);
  }

  /** Bytes of the magic or of a frame that is not complete. */
  get pendingBytes(): number {
    return this.#magicBytes < magic.length ? this.#magicBytes : this.#decoder.pendingBytes;
  }

  receive(bytes: Uint8Array): void {
    const state = this.#state;
    if (state.closed !== undefined) return;
    const decoder = this.#decoder;
    try {
      decoder.push(this.#magicBytes < magic.length ? this.#readMagic(bytes) : bytes);
      while (state.closed === undefined && decoder.next()) this.#frame();
    } catch (error) {
      if (!(error instanceof AnyplugError)) throw error;
      state.fail(statusOf(error));
    }
  }

  /** Returns what comes after the magic. */
  #readMagic(bytes: Uint8Array): Uint8Array {
    const taken = Math.min(magic.length - this.#magicBytes, bytes.length);
    this.#magic.set(bytes.subarray(0, taken), this.#magicBytes);
    this.#magicBytes += taken;
    if (this.#magicBytes === magic.length && this.#magic.some((byte, index) => byte !== magic[index])) {
      const text = String.fromCharCode(...this.#magic);
      const hint = "the peer does not speak anyplug, or something printed to its channel";
      const message = `instead of the magic came ${JSON.stringify(text)}, at offset 0: ${hint}`;
      throw new AnyplugError(Code.FailedPrecondition, message);
    }
    return bytes.subarray(taken);
  }

  #frame(): void {
    const decoder = this.#decoder;
    const { kind, flags, call } = decoder;
    if (this.#state.peer === undefined && kind !== FrameKind.Hello) {
      throw this.#malformed(`${kindName(kind)} before HELLO`);
    }
    switch (kind) {
      case FrameKind.Request:
        return this.#request();
      case FrameKind.Message:
        return this.#message();
      case FrameKind.End:
      case FrameKind.Cancel:
      case FrameKind.Credit:
        if ((flags & flagHeader) !== 0) throw this.#malformed(`a call header on ${kindName(kind)}`);
        if (call === 0) throw this.#malformed(`${kindName(kind)} without a call`);
        if (kind === FrameKind.End) return this.#end();
        return kind === FrameKind.Cancel ? this.#cancel() : this.#credit();
      case FrameKind.Hello:
      case FrameKind.Ping:
      case FrameKind.Pong:
      case FrameKind.Log:
      case FrameKind.GoAway:
        if ((flags & flagHeader) !== 0) throw this.#malformed(`a call header on ${kindName(kind)}`);
        if (call !== 0) throw this.#malformed(`${kindName(kind)} with call id ${call}`);
        return this.#connectionFrame(kind);
      default:
      // A kind of a later version.
    }
  }

  #request(): void {
    const state = this.#state;
    const { call: id, method: index, flags, bytes, start, end: to, offset } = this.#decoder;
    const end = (flags & flagEnd) !== 0;
    if (id === 0 || state.isOwn(id)) throw this.#malformed(`REQUEST with call id ${id}, which is not one of the sender's`);
    if (state.calls.has(id)) throw this.#malformed(`REQUEST with call id ${id}, which is in use`);
    const header = (flags & flagHeader) === 0 ? undefined : this.#header();
    const from = header === undefined ? start : this.#messageStart;
    this.#checkLength(to - from, offset);
    if (!end && to > from) throw this.#malformed("REQUEST with a message, but without END");
    const refusal = this.#refusal(index, header);
    if (refusal !== undefined) return this.#answer(FrameKind.End, id, encodeStatus(refusal));
    const { service, method } = state.table.entries[index] ?? { service: "", method: "" };
    const initialSend = state.peer?.hello.limits.initialCreditBytes ?? 0;
    state.calls.set(id, new Call(true, end, initialSend, state.limits.initialCreditBytes));
    state.incoming += 1;
    state.events.push(new RequestEvent(id, index, service, method, header, end, bytes, from, to));
  }

  /** Says why a request is not taken, if so. */
  #refusal(index: number, header: CallHeader | undefined): Status | undefined {
    const { options, table, limits, incoming, sentGoAway } = this.#state;
    if (sentGoAway) return failure(Code.Unavailable, `"${options.name}" is draining: it takes no new calls`);
    if (index >= table.entries.length) {
      return failure(Code.Unimplemented, `"${options.name}" has no method with index ${index}`);
    }
    if (incoming >= limits.maxPendingRequests) {
      const message = `"${options.name}" has ${limits.maxPendingRequests} requests open, as many as it takes at once`;
      return failure(Code.ResourceExhausted, message);
    }
    if (header?.timeoutMs === 0) return failure(Code.DeadlineExceeded, "no time was left when the request came");
    if (header !== undefined && header.origin.length > maxOriginNames) {
      const message = `the call went through ${header.origin.length} peers, over the limit of ${maxOriginNames}; do they answer each other without end?`;
      return failure(Code.FailedPrecondition, message);
    }
    return undefined;
  }

  #message(): void {
    const state = this.#state;
    const { call: id, flags, bytes, start, end: to, offset } = this.#decoder;
    if (id === 0) throw this.#malformed("MESSAGE without a call");
    const hasHeader = (flags & flagHeader) !== 0;
    if (hasHeader && !state.isOwn(id)) throw this.#malformed("a call header on a caller's MESSAGE");
    const call = state.calls.get(id);
    if (call === undefined || call.receiveEnded) return;
    if (hasHeader && call.received) throw this.#malformed("a call header on a MESSAGE that is not the first");
    const header = hasHeader ? this.#header() : undefined;
    const from = hasHeader ? this.#messageStart : start;
    const length = to - from;
    this.#checkLength(length, offset);
    const end = (flags & flagEnd) !== 0;
    const held = call.received || !end;
    if (held) {
      const limit = state.limits.maxBufferBytes;
      if (state.heldBytes > 0 && state.heldBytes + length > limit) {
        const message = `${state.heldBytes} bytes of messages wait to be read and the limit of ${limit} bytes is reached`;
        return state.abort(id, call, failure(Code.ResourceExhausted, `${message}; read faster, or raise maxBufferBytes`));
      }
      state.heldBytes += length;
    }
    call.received = true;
    state.events.push(new MessageEvent(id, header, end, held, bytes, from, to));
    if (!end) return;
    call.receiveEnded = true;
    if (!call.isCallee) state.forget(id, call);
  }

  #end(): void {
    const state = this.#state;
    const id = this.#decoder.call;
    const call = state.calls.get(id);
    if (call === undefined || call.receiveEnded) return;
    const status = this.#parse("a status", decodeStatus);
    call.receiveEnded = true;
    state.events.push({ type: "end", call: id, status });
    if (!call.isCallee) state.forget(id, call);
  }

  #cancel(): void {
    const state = this.#state;
    const id = this.#decoder.call;
    if (state.isOwn(id)) throw this.#malformed("CANCEL from the callee of the call");
    const call = state.calls.get(id);
    if (call === undefined) return;
    const status = this.#parse("a status", decodeStatus);
    state.events.push({ type: "cancelled", call: id, status: status.code === 0 ? { ...status, code: Code.Cancelled } : status });
    state.forget(id, call);
  }

  #credit(): void {
    const id = this.#decoder.call;
    const call = this.#state.calls.get(id);
    if (call === undefined || call.sendEnded) return;
    const { bytes } = this.#parse("credit", (payload) => decodeMessage(WireCredit, payload));
    const writable = call.send.grant(bytes);
    if (writable === undefined) throw this.#malformed(`credit of call ${id} goes over 2^31 - 1 bytes`);
    if (writable) this.#state.events.push({ type: "writable", call: id });
  }

  #connectionFrame(kind: number): void {
    const state = this.#state;
    switch (kind) {
      case FrameKind.Hello:
        if (state.peer !== undefined) throw this.#malformed("a second HELLO");
        return this.#hello(this.#parse("a hello", decodeHello));
      case FrameKind.Ping:
        return this.#answer(FrameKind.Pong, 0, this.#ping());
      case FrameKind.Pong:
        state.events.push({ type: "pong", payload: this.#ping() });
        return;
      case FrameKind.Log:
        state.events.push({ type: "log", record: this.#parse("a log record", decodeLog) });
        return;
      default:
        return this.#goAway();
    }
  }

  #hello(hello: Hello): void {
    const state = this.#state;
    const protocol = negotiateVersion(hello);
    const table = this.#parse("a hello", () => new MethodTable(hello.services));
    if (state.options.role === "plugin") state.limits = mergeLimits(state.options.limits, announced(hello, state));
    this.#decoder.maxPayloadBytes = state.limits.maxMessageBytes + frameAllowanceBytes;
    const peer = { ...hello, protocol };
    state.peer = { hello: peer, table };
    state.greet();
    state.events.push({ type: "hello", peer });
    // A drain that began before the peer could be told.
    if (state.sentGoAway) state.output.frame(FrameKind.GoAway, 0, 0, 0);
  }

  #ping(): Uint8Array {
    const { kind, bytes, start, end } = this.#decoder;
    if (end - start > maxPingBytes) throw this.#malformed(`${kindName(kind)} of ${end - start} bytes, over ${maxPingBytes}`);
    return bytes.slice(start, end);
  }

  #goAway(): void {
    const state = this.#state;
    const { status: wire } = this.#parse("a goaway", (payload) => decodeMessage(WireGoAway, payload));
    const status = wire === undefined ? undefined : statusFromWire(wire);
    const failed = status !== undefined && status.code !== 0 ? status : undefined;
    state.receivedGoAway = true;
    state.events.push({ type: "goaway", status: failed });
    if (failed !== undefined) state.close(failed);
    else state.checkDrained();
  }

  /** Sends what the peer asked for by a frame. A peer that asks without end and reads nothing is let go. */
  #answer(kind: number, call: number, payload: Uint8Array): void {
    const { output, limits } = this.#state;
    if (output.bytes > limits.maxBufferBytes) {
      const message = `the peer does not read: ${output.bytes} bytes wait to be written`;
      throw new AnyplugError(Code.ResourceExhausted, `${message}, over the limit of ${limits.maxBufferBytes} bytes`);
    }
    output.frame(kind, 0, 0, call, payload);
  }

  /** Where the message begins, after `#header`. */
  #messageStart = 0;

  #header(): CallHeader {
    const { bytes, start, end } = this.#decoder;
    if (end - start < 4) throw this.#malformed("a call header without its length");
    const length = new DataView(bytes.buffer, bytes.byteOffset + start, 4).getUint32(0, true);
    const from = start + 4;
    if (length > end - from) throw this.#malformed("a call header that is longer than its frame");
    this.#messageStart = from + length;
    try {
      return decodeHeader(bytes.subarray(from, this.#messageStart));
    } catch (error) {
      throw this.#malformed("a call header that cannot be parsed", error);
    }
  }

  #checkLength(length: number, offset: number): void {
    const { maxMessageBytes } = this.#state.limits;
    if (length <= maxMessageBytes) return;
    const message = `a message of ${length} bytes is over the limit of ${maxMessageBytes} bytes, at offset ${offset}`;
    throw new AnyplugError(Code.ResourceExhausted, message);
  }

  #parse<T>(what: string, parse: (payload: Uint8Array) => T): T {
    const { bytes, start, end } = this.#decoder;
    try {
      return parse(bytes.subarray(start, end));
    } catch (error) {
      throw this.#malformed(`${what} that cannot be parsed`, error);
    }
  }

  #malformed(what: string, cause?: unknown): AnyplugError {
    const why = cause instanceof Error ? ` (${cause.message})` : "";
    return new AnyplugError(Code.Internal, `malformed frame at offset ${this.#decoder.offset}: ${what}${why}`, { cause });
  }
}

/** The limits of the host, for a plugin that sets none; what is not announced stays its own. */
function announced(hello: Hello, state: SessionState): typeof state.limits {
  return { ...hello.limits, maxBufferBytes: state.limits.maxBufferBytes };
}
