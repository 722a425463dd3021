/** The protocol without I/O: bytes and calls go in, bytes and events come out. No clocks, no sockets, no promises. */

import { Credit as WireCredit } from "@anyplug/protocol/anyplug/wire/v1/call.js";
import { Call } from "./call.js";
import { Code } from "./code.js";
import { encodeMessage } from "./codec.js";
import { AnyplugError } from "./error.js";
import type { SessionEvent } from "./event.js";
import { FrameKind, flagEnd } from "./frame.js";
import { type CallHeader, encodeHeader } from "./header.js";
import type { Hello } from "./hello.js";
import { Inbound } from "./inbound.js";
import { frameAllowanceBytes, type Limits } from "./limits.js";
import { encodeLog, type LogRecord } from "./log.js";
import { type Peer, type SessionOptions, SessionState } from "./state.js";
import { encodeStatus, failure, type Status } from "./status.js";

/** What goes with a request. */
export interface RequestOptions {
  readonly header?: CallHeader | undefined;
  /** The one request message; with `end` only. */
  readonly payload?: Uint8Array | undefined;
  /** Whether the request is complete; otherwise messages follow. */
  readonly end: boolean;
}

const noPayload: Uint8Array = new Uint8Array(0);
const largestCallId = 0xffff_ffff;
const maxPingBytes = 64;
/** What a call header may take in a frame, beside its length and the largest message, in bytes. */
const maxHeaderBytes = frameAllowanceBytes - 4;

/** One end of a connection. What is said of a call that is not open any more is dropped: the application may be late. */
export class Session {
  readonly #state: SessionState;
  readonly #inbound: Inbound;
  readonly #firstId: number;
  #nextId: number;
  #nextEvent = 0;

  /** @throws AnyplugError INVALID_ARGUMENT when more methods are served than a table can have. */
  constructor(options: SessionOptions) {
    this.#state = new SessionState(options);
    this.#inbound = new Inbound(this.#state);
    this.#firstId = options.role === "host" ? 1 : 2;
    this.#nextId = this.#firstId;
  }

  /** What this side accepts: what was set, else what the host announced. */
  get limits(): Limits {
    return this.#state.limits;
  }

  /** The peer's hello, once it came. */
  get peer(): Hello | undefined {
    return this.#state.peer?.hello;
  }

  /** Bytes that wait to be taken by `takeOutput`. */
  get outputBytes(): number {
    return this.#state.output.bytes;
  }

  /** Bytes of messages that wait to be consumed. */
  get heldBytes(): number {
    return this.#state.heldBytes;
  }

  /** Calls that are open, of both sides. */
  get openCalls(): number {
    return this.#state.calls.size;
  }

  /** Takes bytes of the peer. Payloads of events lie in them: events are to be handled before `bytes` is used for anything else. */
  receive(bytes: Uint8Array): void {
    this.#inbound.receive(bytes);
  }

  /** Returns the next event, or undefined. */
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

  /** Returns the bytes to write, in order. Their memory is not used again. */
  takeOutput(): Uint8Array[] {
    return this.#state.output.take();
  }

  /**
   * Returns the index of a method in the peer's table.
   *
   * @throws AnyplugError UNIMPLEMENTED when it is not there, and as {@link request} when no call can be made.
   */
  methodIndex(service: string, method: string): number {
    const { hello, table } = this.#requirePeer();
    return table.find(service, method, hello.name);
  }

  /**
   * Opens a call and returns its id.
   *
   * @throws AnyplugError UNAVAILABLE after the end of the connection and during a drain, FAILED_PRECONDITION before the peer's hello, UNIMPLEMENTED when the peer has no such
   * method, RESOURCE_EXHAUSTED for a message over the limit of either side, and when the peer takes no more requests.
   */
  request(service: string, method: string, options: RequestOptions): number {
    return this.requestAt(this.methodIndex(service, method), options);
  }

  /** As {@link request}, by the index of the method. */
  requestAt(index: number, { header, payload = noPayload, end }: RequestOptions): number {
    const state = this.#state;
    const { hello } = this.#requirePeer();
    if (state.outgoing >= hello.limits.maxPendingRequests) {
      const limit = `${hello.limits.maxPendingRequests} requests, as many as "${hello.name}" takes at once`;
      throw new AnyplugError(Code.ResourceExhausted, `there are ${limit}; wait for one to end`);
    }
    const excess = this.#excess(payload, hello);
    if (excess !== undefined) throw new AnyplugError(Code.ResourceExhausted, excess);
    const headerBytes = header === undefined ? undefined : encodeHeader(header);
    if (headerBytes !== undefined && headerBytes.length > maxHeaderBytes) {
      throw new AnyplugError(Code.ResourceExhausted, headerExcess(headerBytes));
    }
    const waiting = state.output.bytes;
    if (end && waiting > 0 && waiting + payload.length > state.limits.maxBufferBytes) {
      const limit = `the limit of ${state.limits.maxBufferBytes} bytes is reached`;
      const message = `${waiting} bytes wait to be written to "${hello.name}" and ${limit}; make fewer calls at once`;
      throw new AnyplugError(Code.ResourceExhausted, message);
    }
    const id = this.#allocate();
    const call = new Call(false, end, hello.limits.initialCreditBytes, state.limits.initialCreditBytes);
    call.send.spend(payload.length);
    state.calls.set(id, call);
    state.outgoing += 1;
    state.output.frame(FrameKind.Request, end ? flagEnd : 0, index, id, payload, headerBytes);
    return id;
  }

  /**
   * Sends a message of a call. `end` says that it is the last; from a callee it ends the call with success. A callee may give a header with its first message.
   *
   * @throws AnyplugError RESOURCE_EXHAUSTED when the message is over the limit of either side, which ends the call, and when the call has no credit, which does not.
   */
  sendMessage(id: number, payload: Uint8Array, end: boolean, header?: CallHeader): void {
    const state = this.#state;
    const call = state.calls.get(id);
    if (call === undefined || state.peer === undefined) return;
    if (call.sendEnded) throw new AnyplugError(Code.Internal, `call ${id}: a message after the last`);
    if (header !== undefined && (!call.isCallee || call.sent)) {
      throw new AnyplugError(Code.Internal, `call ${id}: only the first message of a callee has a header`);
    }
    const headerBytes = header === undefined ? undefined : encodeHeader(header);
    const tooLong = headerBytes !== undefined && headerBytes.length > maxHeaderBytes ? headerExcess(headerBytes) : undefined;
    const excess = this.#excess(payload, state.peer.hello) ?? tooLong;
    if (excess !== undefined) {
      const status = failure(Code.ResourceExhausted, excess);
      if (call.isCallee) this.endCall(id, status);
      else this.cancel(id, status);
      throw new AnyplugError(Code.ResourceExhausted, excess);
    }
    if (call.send.available === 0) {
      throw new AnyplugError(Code.ResourceExhausted, `call ${id} has no credit; wait until it is writable`);
    }
    call.send.spend(payload.length);
    call.sent = true;
    state.output.frame(FrameKind.Message, end ? flagEnd : 0, 0, id, payload, headerBytes);
    if (!end) return;
    call.sendEnded = true;
    if (call.isCallee) state.forget(id, call);
  }

  /** Says that no message follows. For callers. */
  halfClose(id: number): void {
    const call = this.#state.calls.get(id);
    if (call === undefined || call.isCallee || call.sendEnded) return;
    call.sendEnded = true;
    this.#state.output.frame(FrameKind.End, 0, 0, id);
  }

  /** Ends a call with a status. For callees. */
  endCall(id: number, status: Status): void {
    const call = this.#state.calls.get(id);
    if (call === undefined || !call.isCallee) return;
    this.#state.output.frame(FrameKind.End, 0, 0, id, encodeStatus(status));
    this.#state.forget(id, call);
  }

  /** Cancels a call, for the reason that `status` gives; the caller's `end` event has it too. For callers. */
  cancel(id: number, status: Status): void {
    const call = this.#state.calls.get(id);
    if (call !== undefined && !call.isCallee) this.#state.abort(id, call, status);
  }

  /** The time of a call is over. */
  expire(id: number): void {
    const call = this.#state.calls.get(id);
    if (call !== undefined) {
      this.#state.abort(id, call, failure(Code.DeadlineExceeded, "the time that the caller gave for the call is over"));
    }
  }

  /** The application has read that many bytes of held messages of a call; it may have ended since. */
  consume(id: number, bytes: number): void {
    const state = this.#state;
    state.heldBytes -= bytes;
    const call = state.calls.get(id);
    if (call === undefined || call.receiveEnded) return;
    const granted = call.consume(bytes);
    if (granted > 0) state.output.frame(FrameKind.Credit, 0, 0, id, encodeMessage(WireCredit, { bytes: granted }));
  }

  /** Returns how many bytes may be sent on a call now; a message may be larger when this is over 0. */
  credit(id: number): number {
    const call = this.#state.calls.get(id);
    return call === undefined || call.sendEnded ? 0 : call.send.available;
  }

  /**
   * Asks for a `pong` event with the same bytes.
   *
   * @throws AnyplugError INVALID_ARGUMENT for more than 64 bytes, and as {@link request} when nothing can be sent.
   */
  ping(payload: Uint8Array): void {
    if (payload.length > maxPingBytes) {
      throw new AnyplugError(Code.InvalidArgument, `a ping of ${payload.length} bytes is over the limit of ${maxPingBytes} bytes`);
    }
    this.#requireOpen();
    this.#state.output.frame(FrameKind.Ping, 0, 0, 0, payload);
  }

  /**
   * Sends a log record.
   *
   * @throws AnyplugError UNAVAILABLE after the end of the connection, FAILED_PRECONDITION before the peer's hello.
   */
  log(record: LogRecord): void {
    this.#requireOpen();
    this.#state.output.frame(FrameKind.Log, 0, 0, 0, encodeLog(record));
  }

  /** Takes no new requests, and makes none. The event `drained` tells when no call is left. */
  drain(): void {
    const state = this.#state;
    if (state.closed !== undefined || state.sentGoAway) return;
    state.sentGoAway = true;
    // Before the peer's hello nothing may be sent, and there is no call to wait for.
    if (state.peer !== undefined) state.output.frame(FrameKind.GoAway, 0, 0, 0);
    state.checkDrained();
  }

  /** Ends the connection for a reason, which the peer is told. */
  fail(status: Status): void {
    this.#state.fail(status);
  }

  /** The transport has ended, for that reason. */
  closed(reason: Status): void {
    const inFrame = this.#inbound.pendingBytes > 0;
    this.#state.close(inFrame ? { ...reason, message: `${reason.message} (in the middle of a frame)` } : reason);
  }

  #requireOpen(): Peer {
    const { closed, peer } = this.#state;
    if (closed !== undefined) throw new AnyplugError(Code.Unavailable, `the connection ended: ${closed.message}`);
    if (peer !== undefined) return peer;
    throw new AnyplugError(Code.FailedPrecondition, "the peer's hello has not come yet; wait for it");
  }

  #requirePeer(): Peer {
    const peer = this.#requireOpen();
    if (this.#state.sentGoAway || this.#state.receivedGoAway) {
      throw new AnyplugError(Code.Unavailable, `the connection to "${peer.hello.name}" is draining: it takes no new calls`);
    }
    return peer;
  }

  /** Says why a message may not be sent, if so. */
  #excess(payload: Uint8Array, peer: Hello): string | undefined {
    const own = this.#state.limits.maxMessageBytes;
    const limit = Math.min(own, peer.limits.maxMessageBytes);
    if (payload.length <= limit) return undefined;
    const whose = own <= peer.limits.maxMessageBytes ? "this side" : `"${peer.name}"`;
    return `a message of ${payload.length} bytes is over the limit of ${limit} bytes of ${whose}; raise maxMessageBytes`;
  }

  #allocate(): number {
    let id = this.#nextId;
    while (this.#state.calls.has(id)) id = this.#following(id);
    this.#nextId = this.#following(id);
    return id;
  }

  #following(id: number): number {
    return id + 2 > largestCallId ? this.#firstId : id + 2;
  }
}

function headerExcess(header: Uint8Array): string {
  return `a call header of ${header.length} bytes is over the limit of ${maxHeaderBytes} bytes; send less metadata`;
}

export type { Role, SessionOptions } from "./state.js";
