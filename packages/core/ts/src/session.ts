/**
 * The session: one side of a connection as a state machine without I/O, clock or promise.
 *
 * Bytes and calls go in by methods; bytes to write and events come out. docs/protocol.md is the specification, and test/vectors/sessions drives exactly these methods.
 */

import { Credit as WireCredit } from "@anyplug/protocol/anyplug/wire/v1/call.js";
import { Call } from "./call.js";
import { Code } from "./code.js";
import { encodeMessage } from "./codec.js";
import { AnyplugError } from "./error.js";
import type { SessionEvent } from "./event.js";
import { FrameKind, flagEnd } from "./frame.js";
import { type CallHeader, checkMetadata, encodeHeader } from "./header.js";
import type { Hello } from "./hello.js";
import { frameAllowanceBytes, type Limits } from "./limits.js";
import { encodeLog, type LogRecord } from "./log.js";
import { Incoming, maxPingBytes } from "./session/incoming.js";
import { type Peer, type SessionOptions, SessionState } from "./session/state.js";
import { describeStatus, failure, type Status } from "./status.js";

export type { Role, SessionOptions } from "./session/state.js";

/** What a request sends. */
export interface RequestOptions {
  /** Deadline, metadata, trace and origin. */
  readonly header?: CallHeader | undefined;
  /** The one request message, with `end`; empty otherwise. */
  readonly payload?: Uint8Array | undefined;
  /** No message follows. */
  readonly end: boolean;
}

const noPayload: Uint8Array = new Uint8Array(0);
const largestCallId = 0xffff_ffff;
/** The longest call header, in bytes: what the frame's allowance leaves for it. */
const maxHeaderBytes = frameAllowanceBytes - 4;

/** One side of a connection. */
export class Session {
  readonly #state: SessionState;
  readonly #incoming: Incoming;
  readonly #smallestId: number;
  #nextId: number;
  #nextEvent = 0;
  #waitingForOutput: number[] = [];

  /** A host has its magic and HELLO to write at once.
   *
   * @throws AnyplugError INVALID_ARGUMENT when the services have more than 65,535 methods together.
   */
  constructor(options: SessionOptions) {
    this.#state = new SessionState(options);
    this.#incoming = new Incoming(this.#state);
    this.#smallestId = options.role === "host" ? 1 : 2;
    this.#nextId = this.#smallestId;
  }

  // --- what goes on ----------------------------------------------------------------------------

  /** Takes bytes that the peer sent, in chunks of any size. Payloads of events lie in them: handle the events before `bytes` is used for anything else. */
  receive(bytes: Uint8Array): void {
    this.#incoming.receive(bytes);
  }

  /** Takes the next event. */
  nextEvent(): SessionEvent | undefined {
    const { events } = this.#state;
    const event = events[this.#nextEvent];
    if (event !== undefined) {
      this.#nextEvent += 1;
    } else if (this.#nextEvent > 0) {
      events.length = 0;
      this.#nextEvent = 0;
    }
    return event;
  }

  /** Takes the bytes that have to be written, in order. Take more only when those are written: what is taken no longer counts as waiting to be written. */
  takeOutput(): Uint8Array[] {
    const chunks = this.#state.output.take();
    if (this.#waitingForOutput.length > 0) this.#tellWritable();
    return chunks;
  }

  /** How many bytes have to be written. */
  get outputBytes(): number {
    return this.#state.output.bytes;
  }

  /** How many bytes of messages the application has not consumed. */
  get unreadBytes(): number {
    return this.#state.unreadBytes;
  }

  /** The limits of this side; a plugin's are final once the host's HELLO has come. */
  get limits(): Limits {
    return this.#state.limits;
  }

  /** What the peer's HELLO said, once it has come. */
  get peer(): Hello | undefined {
    return this.#state.peer?.hello;
  }

  /** How many calls are open, in both directions. */
  get openCalls(): number {
    return this.#state.openOwn + this.#state.openOfPeer;
  }

  // --- calls -----------------------------------------------------------------------------------

  /**
   * Makes a call by the names of service and method, and returns its id.
   *
   * @throws AnyplugError as {@link requestAt}; UNIMPLEMENTED when the peer's table lacks the method.
   */
  request(service: string, method: string, request: RequestOptions): number {
    return this.requestAt(this.methodIndex(service, method), request);
  }

  /**
   * Returns the index of a method in the peer's table.
   *
   * @throws AnyplugError UNAVAILABLE when the connection has ended or drains, FAILED_PRECONDITION before HELLO, UNIMPLEMENTED when the method is not there.
   */
  methodIndex(service: string, method: string): number {
    const { hello, table } = this.#peerForRequest();
    return table.find(service, method, hello.name);
  }

  /**
   * Makes a call by the method's index in the peer's table, and returns its id. Nothing is sent when it throws.
   *
   * @throws AnyplugError UNAVAILABLE when the connection has ended or drains, FAILED_PRECONDITION before HELLO, INVALID_ARGUMENT for a bad metadata key,
   * RESOURCE_EXHAUSTED for a message, header or number of calls over a limit.
   */
  requestAt(index: number, { header, payload = noPayload, end }: RequestOptions): number {
    const state = this.#state;
    const { limits } = this.#peerForRequest().hello;
    const excess = this.#messageExcess(payload.length);
    if (excess !== undefined) throw excess;
    const headerBytes = header === undefined ? undefined : encodeCheckedHeader(header);
    if (state.openOwn >= limits.maxPendingRequests) {
      const taken = `${state.openOwn} requests are open, as many as the peer takes (max_pending_requests)`;
      throw new AnyplugError(Code.ResourceExhausted, `${taken}; wait for one to end`);
    }
    if (end && this.#isOutputOver(payload.length + (headerBytes?.length ?? 0), true)) throw this.#outputFull();
    const id = this.#claimId();
    const call = new Call(false, !end, true, limits.initialCreditBytes, state.limits.initialCreditBytes);
    call.sendCredit.spend(payload.length);
    state.calls.set(id, call);
    state.openOwn += 1;
    state.output.frame(FrameKind.Request, end ? flagEnd : 0, index, id, payload, headerBytes);
    return id;
  }

  /**
   * Sends a message of a call. For a call that has ended it does nothing.
   *
   * @throws AnyplugError RESOURCE_EXHAUSTED: over the message limit, and the call has ended; or out of credit, and the call goes on: wait for `writable`.
   * FAILED_PRECONDITION when the last message was sent before, or for a header that comes too late.
   */
  sendMessage(id: number, payload: Uint8Array, end: boolean, header?: CallHeader): void {
    const state = this.#state;
    const call = state.calls.get(id);
    if (call === undefined || !call.isOpen) return;
    if (!call.sends) throw new AnyplugError(Code.FailedPrecondition, `call ${id}: a message was sent after the last one`);
    if (header !== undefined && (!call.isCallee || call.answered)) {
      throw new AnyplugError(Code.FailedPrecondition, `call ${id}: only a callee's first message has a header`);
    }
    const excess = this.#messageExcess(payload.length);
    if (excess !== undefined) throw this.#refuse(id, call, excess);
    const headerBytes = header === undefined ? undefined : encodeCheckedHeader(header);
    if (call.sendCredit.available === 0) {
      throw new AnyplugError(Code.ResourceExhausted, `call ${id} has no credit: wait until it is writable`);
    }
    const isOnlyAnswer = call.isCallee && !call.answered && end;
    if (this.#isOutputOver(payload.length, isOnlyAnswer)) {
      if (isOnlyAnswer) throw this.#refuse(id, call, this.#outputFull());
      this.#waitForOutput(id, call);
      throw this.#outputFull();
    }
    call.sendCredit.spend(payload.length);
    call.answered ||= call.isCallee;
    call.sends = !end;
    state.output.frame(FrameKind.Message, end ? flagEnd : 0, 0, id, payload, headerBytes);
    if (end && call.isCallee) {
      state.forget(id, call);
      state.tellDrained();
    }
  }

  /** Says that this side's last message was sent; for callers. For a call that has ended it does nothing. */
  halfClose(id: number): void {
    const call = this.#state.calls.get(id);
    if (call === undefined || !call.isOpen || !call.sends || call.isCallee) return;
    call.sends = false;
    this.#state.output.frame(FrameKind.End, 0, 0, id);
  }

  /** Ends a call with a status; for callees. For a call that has ended it does nothing. */
  endCall(id: number, status: Status): void {
    const state = this.#state;
    const call = state.calls.get(id);
    if (call === undefined || !call.isOpen || !call.isCallee) return;
    state.writeStatus(FrameKind.End, id, status);
    state.forget(id, call);
    state.tellDrained();
  }

  /** Gives a call up: a caller sends CANCEL and gets `end`, a callee sends END and gets `cancelled`. For a call that has ended, it drops what was not read. */
  cancel(id: number, status: Status): void {
    const call = this.#state.calls.get(id);
    if (call === undefined) return;
    if (call.isOpen) this.#state.abort(id, call, status);
    else this.#state.forget(id, call);
  }

  /** Ends a call whose deadline has passed. */
  expire(id: number): void {
    this.cancel(id, failure(Code.DeadlineExceeded, "the deadline passed before the call ended"));
  }

  /** Says that the application has done with a message of a call; the peer gets credit for its bytes. */
  consume(id: number, bytes: number): void {
    const state = this.#state;
    const call = state.calls.get(id);
    if (call === undefined) return;
    const read = Math.min(bytes, call.unreadBytes);
    call.unreadBytes -= read;
    state.unreadBytes -= read;
    if (call.unreadMessages > 0) {
      call.unreadMessages -= 1;
      state.unreadMessages -= 1;
    }
    if (!call.isOpen) {
      if (call.unreadMessages === 0) state.calls.delete(id);
    } else if (call.receives) {
      const granted = call.consume(bytes);
      if (granted > 0) state.output.frame(FrameKind.Credit, 0, 0, id, encodeMessage(WireCredit, { bytes: granted }));
    }
  }

  /** Bytes of credit that a call has now; 0 when it has to wait for `writable`, or has ended. */
  credit(id: number): number {
    const call = this.#state.calls.get(id);
    if (call === undefined || !call.isOpen) return 0;
    const { available } = call.sendCredit;
    if (available === 0 || !this.#isOutputOver(0, false)) return available;
    this.#waitForOutput(id, call);
    return 0;
  }

  // --- the connection --------------------------------------------------------------------------

  /**
   * Sends a ping; its bytes come back by `pong`.
   *
   * @throws AnyplugError INVALID_ARGUMENT for more than 64 bytes; before HELLO and after the end as for a request.
   */
  ping(payload: Uint8Array): void {
    if (payload.length > maxPingBytes) {
      throw new AnyplugError(Code.InvalidArgument, `a ping carries at most ${maxPingBytes} bytes, not ${payload.length}`);
    }
    this.#openPeer();
    this.#state.output.frame(FrameKind.Ping, 0, 0, 0, payload);
  }

  /** Sends a log record to the peer; a record over the peer's limit is shortened. Before HELLO, after the end, and while the peer reads nothing, it is dropped. */
  log(record: LogRecord): void {
    const { closed, peer, output, maxPeerFrameBytes } = this.#state;
    if (closed !== undefined || peer === undefined || this.#isOutputOver(0, false)) return;
    output.frame(FrameKind.Log, 0, 0, 0, encodeLog(record, maxPeerFrameBytes));
  }

  /** Begins a drain: calls in flight go on, new ones are refused on both sides, and `drained` tells when none is left. */
  drain(): void {
    const state = this.#state;
    if (state.drainSent || state.closed !== undefined) return;
    state.drainSent = true;
    if (state.peer !== undefined) state.output.frame(FrameKind.GoAway, 0, 0, 0);
    state.tellDrained();
  }

  /** Ends the connection for a reason of this side, which the peer is told. */
  fail(status: Status): void {
    this.#state.fail(status);
  }

  /** Tells that the transport has ended, and why. */
  closed(reason: Status): void {
    const where = this.#incoming.describeEnd();
    this.#state.close({
      ...reason,
      code: reason.code || Code.Unavailable,
      message: where === undefined ? reason.message : `${reason.message} (the stream ended ${where})`,
    });
  }

  // --- inside ----------------------------------------------------------------------------------

  #openPeer(): Peer {
    const { closed, peer } = this.#state;
    if (closed !== undefined) throw new AnyplugError(Code.Unavailable, `the connection ended: ${describeStatus(closed)}`);
    if (peer !== undefined) return peer;
    const message = "no hello has come from the peer yet: wait until the connection is ready";
    throw new AnyplugError(Code.FailedPrecondition, message);
  }

  #peerForRequest(): Peer {
    const peer = this.#openPeer();
    const { drainSent, drainReceived } = this.#state;
    if (!drainSent && !drainReceived) return peer;
    const who = drainSent ? "this side" : "the peer";
    throw new AnyplugError(
      Code.Unavailable,
      `${who} drains the connection: no new calls are made, load the plugin again`,
    );
  }

  /** Says why a message may not be sent, if so. */
  #messageExcess(bytes: number): AnyplugError | undefined {
    const own = this.#state.limits.maxMessageBytes;
    const theirs = this.#state.peer?.hello.limits.maxMessageBytes ?? own;
    const limit = Math.min(own, theirs);
    if (bytes <= limit) return undefined;
    const whose = theirs < own ? "the peer's" : "this side's";
    const message = `a message of ${bytes} bytes is over ${whose} limit of ${limit} (max_message_bytes)`;
    return new AnyplugError(Code.ResourceExhausted, message);
  }

  /** Ends the call of a message that cannot be sent. A callee has the error in its hands and gets no event. */
  #refuse(id: number, call: Call, error: AnyplugError): AnyplugError {
    const status = failure(error.code, error.message);
    if (call.isCallee) this.endCall(id, status);
    else this.cancel(id, status);
    return error;
  }

  #isOutputOver(bytes: number, isWholeCall: boolean): boolean {
    const waiting = this.#state.output.bytes;
    const limit = this.#state.limits.maxBufferBytes;
    return isWholeCall ? waiting > 0 && waiting + bytes > limit : waiting >= limit;
  }

  #outputFull(): AnyplugError {
    const limit = this.#state.limits.maxBufferBytes;
    const waiting = `${this.#state.output.bytes} bytes wait to be written, and at most ${limit} may (max_buffer_bytes)`;
    return new AnyplugError(Code.ResourceExhausted, `${waiting}; the peer reads too slowly`);
  }

  #waitForOutput(id: number, call: Call): void {
    if (call.waitsForOutput) return;
    call.waitsForOutput = true;
    this.#waitingForOutput.push(id);
  }

  #tellWritable(): void {
    const waiting = this.#waitingForOutput;
    this.#waitingForOutput = [];
    for (const id of waiting) {
      const call = this.#state.calls.get(id);
      if (call === undefined || !call.waitsForOutput) continue;
      call.waitsForOutput = false;
      if (call.isOpen && call.sendCredit.available > 0) this.#state.events.push({ type: "writable", call: id });
    }
  }

  /** The next free id of this side's parity. */
  #claimId(): number {
    for (;;) {
      const id = this.#nextId;
      this.#nextId = id + 2 > largestCallId ? this.#smallestId : id + 2;
      if (!this.#state.calls.has(id)) return id;
    }
  }
}

/** @throws AnyplugError INVALID_ARGUMENT for a bad metadata key, RESOURCE_EXHAUSTED for a header that is too long. */
function encodeCheckedHeader(header: CallHeader): Uint8Array {
  for (const [key, value] of header.metadata) checkMetadata(key, value);
  const bytes = encodeHeader(header);
  if (bytes.length <= maxHeaderBytes) return bytes;
  const message = `a call header of ${bytes.length} bytes is over the limit of ${maxHeaderBytes}; send less metadata`;
  throw new AnyplugError(Code.ResourceExhausted, message);
}
