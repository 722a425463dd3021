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
import { type CallHeader, encodeCheckedHeader } from "./header.js";
import type { Hello } from "./hello.js";
import type { Limits } from "./limits.js";
import { encodeLog, type LogRecord } from "./log.js";
import { type Accepted, Incoming, maxPingBytes } from "./session/incoming.js";
import { type Peer, type SessionOptions, SessionState } from "./session/state.js";
import { failure, type Status } from "./status.js";

export type { Role, SessionOptions } from "./session/state.js";

/** What a request sends. */
export interface RequestOptions {
  /** Deadline, metadata, trace and origin. */
  readonly header?: CallHeader | undefined;
  /** The one request message, with `end`; empty otherwise. From 32 KiB on it is kept by reference and must not change any more. */
  readonly payload?: Uint8Array | undefined;
  /** Only the first so many bytes of `payload` are the message. */
  readonly size?: number | undefined;
  /** No message follows. */
  readonly end: boolean;
  /** What the application keeps with the call: events lead to it. */
  readonly owner?: unknown;
}

const noPayload: Uint8Array = new Uint8Array(0);
const largestCallId = 0xffff_ffff;

/** One side of a connection. */
export class Session {
  readonly #state: SessionState;
  readonly #incoming: Incoming;
  readonly #smallestId: number;
  #nextId: number;

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
    return this.#state.events.take();
  }

  /** Takes the bytes that have to be written, in order. Take more only when those are written: what is taken no longer counts as waiting to be written. */
  takeOutput(): Uint8Array[] {
    const chunks = this.#state.output.take();
    this.#state.answerBytes = 0;
    if (this.#state.waitingForOutput.length > 0) this.#tellWritable();
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

  /** Whether no new calls are made: either side has sent GOAWAY. */
  get isDraining(): boolean {
    return this.#state.drainSent || this.#state.drainReceived;
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
  requestAt(index: number, { header, payload = noPayload, size = payload.length, end, owner }: RequestOptions): number {
    const state = this.#state;
    const { limits } = this.#admitRequest(size);
    const headerBytes = header === undefined ? undefined : encodeCheckedHeader(header);
    if (end && this.#state.isOutputOver(size, true)) throw this.#outputFull();
    const id = this.#claimId();
    const call = new Call(false, !end, true, limits.initialCreditBytes, state.limits.initialCreditBytes);
    call.owner = owner;
    call.sendCredit.spend(size);
    state.calls.set(id, call);
    state.openOwn += 1;
    state.output.frame(FrameKind.Request, end ? flagEnd : 0, index, id, payload, size, headerBytes);
    return id;
  }

  /**
   * Returns the id of a call that goes to its peer the short way, by no frame. Nothing is written, and unless it is adopted the call is unknown here: it has ended when the peer returns.
   *
   * @throws AnyplugError as {@link requestAt}.
   */
  claimCall(size: number): number {
    this.#admitRequest(size);
    return this.#claimId();
  }

  /** A claimed call, with a request of that size, is pending: from now on it is open, and its answer comes by frames. */
  adoptCall(id: number, size: number, owner: unknown): void {
    const state = this.#state;
    const { limits } = this.#openPeer().hello;
    const call = new Call(false, false, true, limits.initialCreditBytes, state.limits.initialCreditBytes);
    call.owner = owner;
    call.sendCredit.spend(size);
    state.calls.set(id, call);
    state.openOwn += 1;
  }

  /**
   * Takes a call with one request that the peer makes the short way of the embedded ABI, which has the parts of a REQUEST with END. Nothing is kept of it: if it is not answered at once,
   * `keepCall` says so; else it is over. Returns undefined when it breaks a rule: the connection has ended.
   */
  acceptCall(id: number, index: number, hasHeader: boolean, bytes: Uint8Array): Accepted | undefined {
    return this.#incoming.accept(id, index, hasHeader, bytes);
  }

  /** Says that an accepted call is answered by frames. Returns what is known of it; undefined when the connection has ended. */
  keepCall(id: number): Call | undefined {
    return this.#state.closed === undefined ? this.#incoming.open(id, true) : undefined;
  }

  /** @throws AnyplugError RESOURCE_EXHAUSTED when the peer does not take a message of that size. */
  checkMessageSize(bytes: number): void {
    const excess = this.#messageExcess(bytes);
    if (excess !== undefined) throw excess;
  }

  /**
   * Sends a message of a call, the first `size` bytes of `payload`; from 32 KiB on it is kept by reference. For a call that has ended it does nothing.
   *
   * @throws AnyplugError RESOURCE_EXHAUSTED: message or header over its limit, and the call has ended; or out of credit, or the output is full, and the call goes on: wait for `writable`.
   * INVALID_ARGUMENT for a bad metadata key, and the call has ended. FAILED_PRECONDITION when the last message was sent before, or for a header that comes too late.
   */
  sendMessage(id: number, payload: Uint8Array, end: boolean, header?: CallHeader, size: number = payload.length): void {
    const state = this.#state;
    const call = state.calls.get(id);
    if (call === undefined || !call.isOpen) return;
    if (!call.sends) throw new AnyplugError(Code.FailedPrecondition, `call ${id}: a message after the last`);
    if (header !== undefined && (!call.isCallee || call.sent)) {
      throw new AnyplugError(Code.FailedPrecondition, `call ${id}: only the first message of a callee has a header`);
    }
    const excess = this.#messageExcess(size);
    if (excess !== undefined) throw this.#refuse(id, call, excess);
    const headerBytes = header === undefined ? undefined : this.#answerHeader(id, call, header);
    if (call.sendCredit.available === 0) {
      throw new AnyplugError(Code.ResourceExhausted, `call ${id} has no credit; wait until it is writable`);
    }
    if (this.#state.isOutputOver(0, false)) {
      this.#state.waitForOutput(id, call);
      throw this.#outputFull();
    }
    call.sendCredit.spend(size);
    call.sent = true;
    call.sends = !end;
    state.output.frame(FrameKind.Message, end ? flagEnd : 0, 0, id, payload, size, headerBytes);
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
    if (available === 0 || !this.#state.isOutputOver(0, false)) return available;
    this.#state.waitForOutput(id, call);
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
      const message = `a ping of ${payload.length} bytes is over the limit of ${maxPingBytes} bytes`;
      throw new AnyplugError(Code.InvalidArgument, message);
    }
    this.#openPeer();
    this.#state.output.frame(FrameKind.Ping, 0, 0, 0, payload);
  }

  /** Sends a log record to the peer; one that is too long is shortened. Before HELLO, after the end, and while the peer reads nothing, it is dropped. */
  log(record: LogRecord): void {
    const { closed, peer, output } = this.#state;
    if (closed !== undefined || peer === undefined || this.#state.isOutputOver(0, false)) return;
    output.frame(FrameKind.Log, 0, 0, 0, encodeLog(record));
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
      message: where === undefined ? reason.message : `${reason.message} (${where})`,
    });
  }

  /**
   * Tells that the peer has failed, and how. The call of this side that it was at ends with that reason, all others with UNAVAILABLE; 0: it is not known, and then the only open one is it.
   */
  peerFailed(reason: Status, call: number): void {
    const at = call !== 0 ? call : this.#onlyCall();
    if (at !== undefined) this.cancel(at, reason);
    this.closed(reason);
  }

  /** What the application keeps with the open calls that this side made. */
  *openOwners(): Iterable<unknown> {
    for (const call of this.#state.calls.values()) if (call.isOpen && !call.isCallee) yield call.owner;
  }

  /** Goes on with that id, for tests of what comes after two thousand million calls. */
  skipTo(id: number): void {
    this.#nextId = id;
  }

  // --- inside ----------------------------------------------------------------------------------

  #openPeer(): Peer {
    const { closed, peer } = this.#state;
    if (closed !== undefined) throw new AnyplugError(Code.Unavailable, `the connection ended: ${closed.message}`);
    if (peer !== undefined) return peer;
    throw new AnyplugError(Code.FailedPrecondition, "the peer's hello has not come yet; wait for it");
  }

  /** @throws AnyplugError when a request with a message of that size may not be made. */
  #admitRequest(size: number): Hello {
    const { peer, closed, drainSent, drainReceived, openOwn } = this.#state;
    const isOpen = peer !== undefined && closed === undefined && !drainSent && !drainReceived;
    if (!isOpen) return this.#peerForRequest().hello;
    const { hello } = peer;
    if (openOwn >= hello.limits.maxPendingRequests || size > hello.limits.maxMessageBytes)
      this.#refuseRequest(hello, size);
    return hello;
  }

  /** Apart, so that what each call needs is small enough for an engine to put it where it is called. */
  #refuseRequest({ limits, name }: Hello, size: number): void {
    if (this.#state.openOwn >= limits.maxPendingRequests) {
      const open = `there are ${limits.maxPendingRequests} requests, as many as "${name}" takes at once`;
      throw new AnyplugError(Code.ResourceExhausted, `${open}; wait for one to end`);
    }
    this.checkMessageSize(size);
  }

  #onlyCall(): number | undefined {
    if (this.#state.openOwn !== 1) return undefined;
    for (const [id, call] of this.#state.calls) if (call.isOpen && !call.isCallee) return id;
    return undefined;
  }

  #peerForRequest(): Peer {
    const peer = this.#openPeer();
    if (!this.#state.drainSent && !this.#state.drainReceived) return peer;
    const message = `the connection to "${peer.hello.name}" is draining: it takes no new calls`;
    throw new AnyplugError(Code.Unavailable, message);
  }

  /** Says why a message may not be sent, if so. */
  #messageExcess(bytes: number): AnyplugError | undefined {
    const hello = this.#state.peer?.hello;
    if (hello === undefined || bytes <= hello.limits.maxMessageBytes) return undefined;
    const limit = `the limit of ${hello.limits.maxMessageBytes} bytes of "${hello.name}"`;
    const message = `a message of ${bytes} bytes is over ${limit}; raise its maxMessageBytes`;
    return new AnyplugError(Code.ResourceExhausted, message);
  }

  /** Encodes the header of a callee's first message. */
  #answerHeader(id: number, call: Call, header: CallHeader): Uint8Array {
    try {
      return encodeCheckedHeader(header);
    } catch (error) {
      throw this.#refuse(id, call, AnyplugError.from(error));
    }
  }

  /** Ends the call of a message that cannot be sent. A callee has the error in its hands and gets no event. */
  #refuse(id: number, call: Call, error: AnyplugError): AnyplugError {
    const status = failure(error.code, error.message);
    if (call.isCallee) this.endCall(id, status);
    else this.cancel(id, status);
    return error;
  }

  #outputFull(): AnyplugError {
    const { output, limits, peer } = this.#state;
    const waiting = `${output.bytes} bytes wait to be written to "${peer?.hello.name ?? ""}"`;
    const message = `${waiting} and the limit of ${limits.maxBufferBytes} bytes is reached; make fewer calls at once`;
    return new AnyplugError(Code.ResourceExhausted, message);
  }

  #tellWritable(): void {
    for (const id of this.#state.waitingForOutput.splice(0)) {
      const call = this.#state.calls.get(id);
      if (call === undefined || !call.waitsForOutput) continue;
      call.waitsForOutput = false;
      if (call.isOpen && call.sendCredit.available > 0)
        this.#state.events.push({ type: "writable", call: id, state: call });
    }
  }

  /** The next free id of this side's parity. */
  #claimId(): number {
    const { calls } = this.#state;
    for (;;) {
      const id = this.#nextId;
      this.#nextId = id + 2 > largestCallId ? this.#smallestId : id + 2;
      if (calls.size === 0 || !calls.has(id)) return id;
    }
  }
}
