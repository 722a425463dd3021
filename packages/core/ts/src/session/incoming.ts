/** What the peer sends. */

import { Credit as WireCredit } from "@anyplug/protocol/anyplug/wire/v1/call.js";
import { GoAway as WireGoAway } from "@anyplug/protocol/anyplug/wire/v1/connection.js";
import { Call } from "../call.js";
import { Code } from "../code.js";
import { decodeMessage } from "../codec.js";
import { AnyplugError } from "../error.js";
import { MessageEvent, RequestEvent } from "../event.js";
import { FrameDecoder, FrameKind, flagEnd, flagHeader, kindName, word } from "../frame.js";
import { type CallHeader, decodeHeader, decodeTimeout, originRefusal, timeoutHeader } from "../header.js";
import { decodeHello, MethodTable, magic, maxMethods, negotiateVersion } from "../hello.js";
import { frameAllowanceBytes, type Limits, mergeLimits } from "../limits.js";
import { decodeLog } from "../log.js";
import { decodeStatus, encodeStatus, failure, type Status, statusFromWire, statusOf } from "../status.js";
import type { SessionState } from "./state.js";

/** The most bytes of a PING. */
export const maxPingBytes = 64;

/** A number of unread messages that is always allowed, however small the buffer; beyond that a message counts as 64 bytes. */
const unreadMessagesAllowed = 1024;

/** What becomes of a call that the peer makes the short way of the embedded ABI: it is to be answered, or has ended with a status. */
export type Accepted =
  | { readonly refusal: undefined; readonly header: CallHeader | undefined; readonly start: number }
  | { readonly refusal: Status };

/** The reading half of a session. */
export class Incoming {
  readonly #state: SessionState;
  readonly #decoder: FrameDecoder;
  readonly #magic = new Uint8Array(magic.length);
  #magicBytes = 0;
  /** Where the message of the current frame begins, behind its call header. */
  #messageStart = 0;
  /** A call is looked at that came by no frame. */
  #isFrameless = false;

  constructor(state: SessionState) {
    this.#state = state;
    this.#decoder = new FrameDecoder(maxFrameBytes(state.limits), magic.length);
  }

  receive(bytes: Uint8Array): void {
    const state = this.#state;
    if (state.closed !== undefined) return;
    const decoder = this.#decoder;
    try {
      decoder.push(this.#magicBytes < magic.length ? this.#receiveMagic(bytes) : bytes);
      while (state.closed === undefined && decoder.next()) this.#frame();
    } catch (error) {
      if (!(error instanceof AnyplugError)) throw error;
      state.fail(statusOf(error));
    }
  }

  /** Says in which state the end of the stream comes, when it is one in which it should not. */
  describeEnd(): string | undefined {
    if (this.#magicBytes > 0 && this.#magicBytes < magic.length) {
      return `the stream ended before HELLO, after ${quote(this.#magic.subarray(0, this.#magicBytes))}`;
    }
    if (this.#state.peer === undefined) return "the stream ended before HELLO";
    return this.#decoder.pendingBytes > 0
      ? `in the middle of the frame at offset ${this.#decoder.nextOffset}`
      : undefined;
  }

  /** Returns what comes after the magic. */
  #receiveMagic(bytes: Uint8Array): Uint8Array {
    const taken = Math.min(magic.length - this.#magicBytes, bytes.length);
    this.#magic.set(bytes.subarray(0, taken), this.#magicBytes);
    this.#magicBytes += taken;
    if (this.#magicBytes === magic.length && this.#magic.some((byte, index) => byte !== magic[index])) {
      const why = "the peer does not speak anyplug, or something printed to its channel";
      const message = `instead of the magic came ${quote(this.#magic)}, at offset 0: ${why}`;
      throw new AnyplugError(Code.FailedPrecondition, message);
    }
    return bytes.subarray(taken);
  }

  #frame(): void {
    const { kind, flags, call } = this.#decoder;
    if (this.#state.peer === undefined && kind !== FrameKind.Hello)
      throw this.#malformed(`${kindName(kind)} before HELLO`);
    // A kind of a later version is skipped.
    if (kind < FrameKind.Hello || kind > FrameKind.GoAway) return;
    const isOfCall = kind >= FrameKind.Request && kind <= FrameKind.Credit;
    if (isOfCall === (call === 0)) {
      throw this.#malformed(`${kindName(kind)} ${isOfCall ? "without a call" : `with call id ${call}`}`);
    }
    if ((flags & flagHeader) !== 0 && kind !== FrameKind.Request && kind !== FrameKind.Message) {
      throw this.#malformed(`a call header on ${kindName(kind)}`);
    }
    switch (kind) {
      case FrameKind.Hello:
        return this.#hello();
      case FrameKind.Request:
        return this.#request();
      case FrameKind.Message:
        return this.#message();
      case FrameKind.End:
        return this.#end();
      case FrameKind.Cancel:
        return this.#cancel();
      case FrameKind.Credit:
        return this.#credit();
      case FrameKind.Ping:
      case FrameKind.Pong:
        return this.#ping(kind);
      case FrameKind.Log:
        this.#state.events.push({ type: "log", record: this.#parse("a log record", decodeLog) });
        return;
      case FrameKind.GoAway:
        return this.#goAway();
    }
  }

  #hello(): void {
    const state = this.#state;
    if (state.peer !== undefined) throw this.#malformed("a second HELLO");
    const hello = this.#parse("a hello", decodeHello);
    const protocol = negotiateVersion(hello);
    const methods = hello.services.reduce((sum, service) => sum + service.methods.length, 0);
    if (methods > maxMethods) {
      const served = `${methods} methods are served by "${hello.name}"`;
      throw new AnyplugError(Code.Internal, `${served}, and a connection has at most ${maxMethods}`);
    }
    if (state.options.role === "plugin") {
      const { maxBufferBytes } = state.limits;
      state.limits = mergeLimits(state.options.limits, { ...hello.limits, maxBufferBytes });
      this.#decoder.maxPayloadBytes = maxFrameBytes(state.limits);
    }
    const peer = { ...hello, protocol };
    state.peer = { hello: peer, table: new MethodTable(hello.services) };
    state.speak();
    state.events.push({ type: "hello", peer });
    // A drain that began before the peer could be told.
    if (state.drainSent) state.output.frame(FrameKind.GoAway, 0, 0, 0);
  }

  #request(): void {
    const state = this.#state;
    const { call: id, method: index, flags, bytes, owned, start, end: to } = this.#decoder;
    const end = (flags & flagEnd) !== 0;
    const hasHeader = (flags & flagHeader) !== 0;
    const header = this.#checkRequest(id, end, hasHeader, bytes, start, to);
    const refusal = this.#refusal(index, header);
    if (refusal !== undefined) {
      return this.#answer(FrameKind.End, id, encodeStatus(refusal));
    }
    const { service, method } = state.table.entries[index] ?? { service: "", method: "" };
    const from = hasHeader ? this.#messageStart : start;
    const call = this.open(id, end);
    state.events.push(new RequestEvent(id, index, service, method, header, end, bytes, from, to, owned, call));
  }

  /** As {@link Session.acceptCall}. */
  accept(id: number, index: number, hasHeader: boolean, bytes: Uint8Array): Accepted | undefined {
    const state = this.#state;
    if (state.peer === undefined || state.closed !== undefined) return undefined;
    this.#isFrameless = true;
    try {
      if (id === 0) throw this.#malformed("REQUEST without a call");
      const header = this.#checkRequest(id, true, hasHeader, bytes, 0, bytes.length);
      const refusal = this.#refusal(index, header);
      if (refusal !== undefined) return { refusal };
      return { refusal, header, start: hasHeader ? this.#messageStart : 0 };
    } catch (error) {
      if (!(error instanceof AnyplugError)) throw error;
      state.fail(statusOf(error));
      return undefined;
    } finally {
      this.#isFrameless = false;
    }
  }

  /** Opens a call of the peer's; `end`: its last message has come. */
  open(id: number, end: boolean): Call {
    const state = this.#state;
    const initialSendBytes = state.peer?.hello.limits.initialCreditBytes ?? 0;
    const call = new Call(true, true, !end, initialSendBytes, state.limits.initialCreditBytes);
    state.calls.set(id, call);
    state.openOfPeer += 1;
    return call;
  }

  /** Checks what the rules of a request say. Returns its header. */
  #checkRequest(
    id: number,
    end: boolean,
    hasHeader: boolean,
    bytes: Uint8Array,
    start: number,
    to: number,
  ): CallHeader | undefined {
    const state = this.#state;
    if (state.isOwn(id)) throw this.#malformed(`REQUEST with call id ${id}, which is not one of the sender's`);
    if (state.calls.has(id)) throw this.#malformed(`REQUEST with call id ${id}, which is in use`);
    const header = hasHeader ? this.#header(bytes, start, to) : undefined;
    const from = hasHeader ? this.#messageStart : start;
    if (!end && to > from) throw this.#malformed("REQUEST with a message, but without END");
    this.#checkSize(to - from);
    return header;
  }

  /** Why a request is answered at once. */
  #refusal(index: number, header: CallHeader | undefined): Status | undefined {
    const { options, drainSent, table, limits, openOfPeer } = this.#state;
    const name = `"${options.name}"`;
    if (drainSent) return failure(Code.Unavailable, `${name} is draining: it takes no new calls`);
    if (index >= table.entries.length) return failure(Code.Unimplemented, `${name} has no method with index ${index}`);
    if (openOfPeer >= limits.maxPendingRequests) {
      const open = `${name} has ${limits.maxPendingRequests} requests open, as many as it takes at once`;
      return failure(Code.ResourceExhausted, open);
    }
    if (header?.timeoutMs === 0) return failure(Code.DeadlineExceeded, "no time was left when the request came");
    const refusal = header === undefined ? undefined : originRefusal(header.origin);
    return refusal === undefined ? undefined : statusOf(refusal);
  }

  #message(): void {
    const state = this.#state;
    const { call: id, flags, bytes, owned, start, end: to } = this.#decoder;
    const hasHeader = (flags & flagHeader) !== 0;
    if (hasHeader && !state.isOwn(id)) throw this.#malformed("a call header on a caller's MESSAGE");
    const call = state.calls.get(id);
    if (call === undefined || !call.isOpen || !call.receives) return;
    if (hasHeader && call.received) throw this.#malformed("a call header on a MESSAGE that is not the first");
    const end = (flags & flagEnd) !== 0;
    const isOnly = end && !call.received;
    const header = hasHeader ? this.#header(bytes, start, to) : undefined;
    const from = hasHeader ? this.#messageStart : start;
    this.#checkSize(to - from);
    if (!isOnly && !this.#hold(id, call, to - from)) return;
    call.received = true;
    call.receives = !end;
    state.events.push(new MessageEvent(id, header, end, bytes, from, to, owned, call));
    if (!end || call.isCallee) return;
    state.endByCallee(id, call);
    state.tellDrained();
  }

  /** Counts a message as unread; false when it does not fit, and then its call has ended. */
  #hold(id: number, call: Call, bytes: number): boolean {
    const state = this.#state;
    const limit = state.limits.maxBufferBytes;
    const mostMessages = Math.max(unreadMessagesAllowed, limit / 64);
    const isOver = state.unreadBytes > 0 && state.unreadBytes + bytes > limit;
    if (isOver || state.unreadMessages >= mostMessages) {
      const waiting = `${state.unreadBytes} bytes of ${state.unreadMessages} messages wait to be read`;
      const message = `${waiting} and the limit of ${limit} bytes is reached; read faster, or raise maxBufferBytes`;
      state.abort(id, call, failure(Code.ResourceExhausted, message));
      return false;
    }
    call.unreadBytes += bytes;
    call.unreadMessages += 1;
    state.unreadBytes += bytes;
    state.unreadMessages += 1;
    return true;
  }

  #end(): void {
    const state = this.#state;
    const id = this.#decoder.call;
    const call = state.calls.get(id);
    if (call === undefined || !call.isOpen || !call.receives) return;
    const status = this.#parse("a status", decodeStatus);
    call.receives = false;
    if (!call.isCallee) state.endByCallee(id, call);
    state.events.push({ type: "end", call: id, status, state: call });
    state.tellDrained();
  }

  #cancel(): void {
    const state = this.#state;
    const id = this.#decoder.call;
    if (state.isOwn(id)) throw this.#malformed("CANCEL from the callee of the call");
    const call = state.calls.get(id);
    if (call === undefined) return;
    const status = this.#parse("a status", decodeStatus);
    state.forget(id, call);
    const reason = status.code === 0 ? { ...status, code: Code.Cancelled } : status;
    state.events.push({ type: "cancelled", call: id, status: reason, state: call });
    state.tellDrained();
  }

  #credit(): void {
    const state = this.#state;
    const id = this.#decoder.call;
    const call = state.calls.get(id);
    if (call === undefined || !call.isOpen || !call.sends) return;
    const { bytes } = this.#parse("credit", (payload) => decodeMessage(WireCredit, payload));
    const writable = call.sendCredit.grant(bytes);
    if (writable === undefined) throw this.#malformed(`credit of call ${id} goes over 2^31 - 1 bytes`);
    if (!writable) return;
    if (state.isOutputOver(0, false)) state.waitForOutput(id, call);
    else state.events.push({ type: "writable", call: id, state: call });
  }

  #ping(kind: number): void {
    const state = this.#state;
    const { bytes, start, end } = this.#decoder;
    if (end - start > maxPingBytes) {
      throw this.#malformed(`${kindName(kind)} of ${end - start} bytes, over ${maxPingBytes}`);
    }
    if (kind === FrameKind.Ping) {
      return this.#answer(FrameKind.Pong, 0, bytes.subarray(start, end));
    }
    state.events.push({ type: "pong", payload: bytes.slice(start, end) });
  }

  #goAway(): void {
    const state = this.#state;
    const { status: wire } = this.#parse("a goaway", (payload) => decodeMessage(WireGoAway, payload));
    const status = wire === undefined ? undefined : statusFromWire(wire);
    if (status !== undefined && status.code !== 0) {
      state.events.push({ type: "goaway", status });
      state.close(status);
    } else if (!state.drainReceived) {
      state.drainReceived = true;
      state.events.push({ type: "goaway", status: undefined });
      state.tellDrained();
    }
  }

  /** Reads the call header that the payload of a frame begins with. */
  #header(bytes: Uint8Array, start: number, end: number): CallHeader {
    if (end - start < 4) throw this.#malformed("a call header without its length");
    const length = word(bytes, start);
    const from = start + 4;
    if (length > end - from) throw this.#malformed("a call header that is longer than its frame");
    this.#messageStart = from + length;
    const timeoutMs = decodeTimeout(bytes, from, this.#messageStart);
    if (timeoutMs !== undefined) return timeoutHeader(timeoutMs);
    return this.#parse("a call header", decodeHeader, bytes, from, this.#messageStart);
  }

  #checkSize(bytes: number): void {
    const limit = this.#state.limits.maxMessageBytes;
    if (bytes <= limit) return;
    const where = this.#isFrameless ? "" : `, at offset ${this.#decoder.offset}`;
    const message = `a message of ${bytes} bytes is over the limit of ${limit} bytes${where}`;
    throw new AnyplugError(Code.ResourceExhausted, message);
  }

  /** A peer that asks and never reads the answers is cut off before they fill the memory. */
  #answer(kind: number, call: number, payload: Uint8Array): void {
    if (this.#state.answer(kind, call, payload)) return;
    const { answerBytes, maxAnswerBytes } = this.#state;
    const waiting = `${answerBytes} bytes of answers wait to be written`;
    const message = `the peer does not read: ${waiting}, over the limit of ${maxAnswerBytes} bytes`;
    throw new AnyplugError(Code.ResourceExhausted, message);
  }

  #parse<T>(
    what: string,
    parse: (payload: Uint8Array) => T,
    bytes = this.#decoder.bytes,
    from = this.#decoder.start,
    to = this.#decoder.end,
  ): T {
    try {
      return parse(bytes.subarray(from, to));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw this.#malformed(`${what} that cannot be parsed (${why})`);
    }
  }

  #malformed(what: string): AnyplugError {
    const where = this.#isFrameless ? "call" : `frame at offset ${this.#decoder.offset}`;
    return new AnyplugError(Code.Internal, `malformed ${where}: ${what}`);
  }
}

/** The longest payload of a frame. */
function maxFrameBytes(limits: Limits): number {
  return limits.maxMessageBytes + frameAllowanceBytes;
}

/** Bytes as text, what is not printable escaped. */
function quote(bytes: Uint8Array): string {
  return JSON.stringify(String.fromCharCode(...bytes));
}
