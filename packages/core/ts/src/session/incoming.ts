/** What the peer sends. */

import { Credit as WireCredit } from "@anyplug/protocol/anyplug/wire/v1/call.js";
import { GoAway as WireGoAway } from "@anyplug/protocol/anyplug/wire/v1/connection.js";
import { Call } from "../call.js";
import { Code } from "../code.js";
import { decodeMessage } from "../codec.js";
import { AnyplugError } from "../error.js";
import { MessageEvent, RequestEvent } from "../event.js";
import { FrameDecoder, FrameKind, flagEnd, flagHeader, kindName } from "../frame.js";
import { type CallHeader, decodeHeader } from "../header.js";
import { decodeHello, MethodTable, magic, maxMethods, negotiateVersion } from "../hello.js";
import { frameAllowanceBytes, type Limits, mergeLimits } from "../limits.js";
import { decodeLog } from "../log.js";
import { decodeStatus, failure, type Status, statusFromWire, statusOf } from "../status.js";
import type { SessionState } from "./state.js";

/** The most bytes of a PING. */
export const maxPingBytes = 64;

/** A number of unread messages that is always allowed, however small the buffer; beyond that a message counts as 64 bytes. */
const unreadMessagesAllowed = 1024;

/** The reading half of a session. */
export class Incoming {
  readonly #state: SessionState;
  readonly #decoder: FrameDecoder;
  readonly #magic = new Uint8Array(magic.length);
  #magicBytes = 0;
  /** Where the message of the current frame begins, behind its call header. */
  #messageStart = 0;

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
      return `before HELLO, after ${quote(this.#magic.subarray(0, this.#magicBytes))}`;
    }
    if (this.#state.peer === undefined) return "before HELLO";
    return this.#decoder.pendingBytes > 0 ? `inside the frame at offset ${this.#decoder.nextOffset}` : undefined;
  }

  /** Returns what comes after the magic. */
  #receiveMagic(bytes: Uint8Array): Uint8Array {
    const taken = Math.min(magic.length - this.#magicBytes, bytes.length);
    this.#magic.set(bytes.subarray(0, taken), this.#magicBytes);
    this.#magicBytes += taken;
    if (this.#magicBytes === magic.length && this.#magic.some((byte, index) => byte !== magic[index])) {
      const what = `its first bytes are ${quote(this.#magic)} instead of the magic (at offset 0)`;
      throw new AnyplugError(Code.FailedPrecondition, `the peer does not speak anyplug: ${what}`);
    }
    return bytes.subarray(taken);
  }

  #frame(): void {
    const { kind, flags, call } = this.#decoder;
    if (this.#state.peer === undefined && kind !== FrameKind.Hello) throw this.#malformed("a frame came before HELLO");
    // A kind of a later version is skipped.
    if (kind < FrameKind.Hello || kind > FrameKind.GoAway) return;
    const isOfCall = kind >= FrameKind.Request && kind <= FrameKind.Credit;
    if (isOfCall === (call === 0)) {
      throw this.#malformed(`${kindName(kind)} has the call id ${isOfCall ? "0" : `${call} instead of 0`}`);
    }
    if ((flags & flagHeader) !== 0 && kind !== FrameKind.Request && kind !== FrameKind.Message) {
      throw this.#malformed(`${kindName(kind)} has a call header`);
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
        this.#state.events.push({ type: "log", record: this.#parse("log record", decodeLog) });
        return;
      case FrameKind.GoAway:
        return this.#goAway();
    }
  }

  #hello(): void {
    const state = this.#state;
    if (state.peer !== undefined) throw this.#malformed("a second HELLO came");
    const hello = this.#parse("HELLO", decodeHello);
    const protocol = this.#check(() => negotiateVersion(hello));
    const methods = hello.services.reduce((sum, service) => sum + service.methods.length, 0);
    if (methods > maxMethods) {
      throw this.#malformed(`the HELLO lists ${methods} methods; at most ${maxMethods} are allowed`);
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
    const { call: id, method: index, flags, bytes, start, end: to } = this.#decoder;
    if (state.isOwn(id)) throw this.#malformed(`REQUEST has the call id ${id}, which is this side's parity`);
    if (state.calls.has(id)) throw this.#malformed(`REQUEST has the call id ${id}, which is in use`);
    const end = (flags & flagEnd) !== 0;
    const header = (flags & flagHeader) === 0 ? undefined : this.#header();
    const from = header === undefined ? start : this.#messageStart;
    if (!end && to > from) throw this.#malformed("REQUEST has a message but not END");
    this.#checkSize(to - from);
    const refusal = this.#refusal(index, header);
    if (refusal !== undefined) {
      state.writeStatus(FrameKind.End, id, refusal);
      return this.#checkAnswersAreRead();
    }
    const { service, method } = state.table.entries[index] ?? { service: "", method: "" };
    const initialSendBytes = state.peer?.hello.limits.initialCreditBytes ?? 0;
    state.calls.set(id, new Call(true, true, !end, initialSendBytes, state.limits.initialCreditBytes));
    state.openOfPeer += 1;
    state.events.push(new RequestEvent(id, index, service, method, header, end, bytes, from, to));
  }

  /** Why a request is answered at once. */
  #refusal(index: number, header: CallHeader | undefined): Status | undefined {
    const { drainSent, table, limits, openOfPeer } = this.#state;
    if (drainSent) return failure(Code.Unavailable, "this side drains the connection and takes no new calls");
    const methods = table.entries.length;
    if (index >= methods) return failure(Code.Unimplemented, `there is no method ${index}: the table has ${methods}`);
    if (openOfPeer >= limits.maxPendingRequests) {
      const taken = `${limits.maxPendingRequests} requests are open, as many as this side takes (max_pending_requests)`;
      return failure(Code.ResourceExhausted, taken);
    }
    return header?.timeoutMs === 0 ? failure(Code.DeadlineExceeded, "the request came with no time left") : undefined;
  }

  #message(): void {
    const state = this.#state;
    const { call: id, flags, bytes, start, end: to } = this.#decoder;
    const hasHeader = (flags & flagHeader) !== 0;
    if (hasHeader && !state.isOwn(id)) throw this.#malformed("MESSAGE of a caller has a call header");
    const call = state.calls.get(id);
    if (call === undefined || !call.isOpen || !call.receives) return;
    if (hasHeader && call.answered) throw this.#malformed("MESSAGE has a call header but is not the first");
    // At the caller it is the callee's first message that answers; at the callee, this side's own.
    call.answered ||= !call.isCallee;
    const end = (flags & flagEnd) !== 0;
    const header = hasHeader ? this.#header() : undefined;
    const from = hasHeader ? this.#messageStart : start;
    this.#checkSize(to - from);
    if (end && !call.isCallee) {
      state.endByCallee(id, call);
    } else if (!this.#hold(id, call, to - from, end)) {
      return;
    }
    state.events.push(new MessageEvent(id, header, end, bytes, from, to));
    if (end) state.tellDrained();
  }

  /** Counts a message as unread; false when it does not fit, and then its call has ended. */
  #hold(id: number, call: Call, bytes: number, end: boolean): boolean {
    const state = this.#state;
    const limit = state.limits.maxBufferBytes;
    const mostMessages = Math.max(unreadMessagesAllowed, limit / 64);
    if (state.unreadBytes + bytes > limit || state.unreadMessages >= mostMessages) {
      const waiting = `${state.unreadBytes} bytes in ${state.unreadMessages} messages wait to be read`;
      const message = `${waiting}, and ${bytes} more are over the limit of ${limit} (max_buffer_bytes)`;
      state.abort(id, call, failure(Code.ResourceExhausted, message));
      return false;
    }
    call.receives = !end;
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
    let status = failure(0, "");
    if (call.isCallee) {
      call.receives = false;
    } else {
      status = this.#parse("status", decodeStatus);
      state.endByCallee(id, call);
    }
    state.events.push({ type: "end", call: id, status });
    state.tellDrained();
  }

  #cancel(): void {
    const state = this.#state;
    const id = this.#decoder.call;
    if (state.isOwn(id)) throw this.#malformed(`CANCEL came from the callee of call ${id}`);
    const call = state.calls.get(id);
    if (call === undefined) return;
    let status = this.#parse("status", decodeStatus);
    if (status.code === 0) status = failure(Code.Cancelled, "the caller cancelled the call");
    state.forget(id, call);
    state.events.push({ type: "cancelled", call: id, status });
    state.tellDrained();
  }

  #credit(): void {
    const id = this.#decoder.call;
    const call = this.#state.calls.get(id);
    if (call === undefined || !call.isOpen) return;
    const { bytes } = this.#parse("CREDIT", (payload) => decodeMessage(WireCredit, payload));
    const writable = call.sendCredit.grant(bytes);
    if (writable === undefined) throw this.#malformed(`${bytes} bytes of credit would go over 2^31 - 1 bytes`);
    if (writable && call.sends) this.#state.events.push({ type: "writable", call: id });
  }

  #ping(kind: number): void {
    const state = this.#state;
    const { bytes, start, end } = this.#decoder;
    if (end - start > maxPingBytes) {
      throw this.#malformed(`${kindName(kind)} has ${end - start} bytes; at most ${maxPingBytes} are allowed`);
    }
    if (kind === FrameKind.Ping) {
      state.output.frame(FrameKind.Pong, 0, 0, 0, bytes.subarray(start, end));
      return this.#checkAnswersAreRead();
    }
    state.events.push({ type: "pong", payload: bytes.slice(start, end) });
  }

  #goAway(): void {
    const state = this.#state;
    const { status: wire } = this.#parse("GOAWAY", (payload) => decodeMessage(WireGoAway, payload));
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

  /** Reads the call header of the current frame. */
  #header(): CallHeader {
    const { bytes, start, end } = this.#decoder;
    if (end - start < 4) throw this.#malformed("the payload is too short for the length of its call header");
    const length = new DataView(bytes.buffer, bytes.byteOffset + start, 4).getUint32(0, true);
    const from = start + 4;
    if (length > end - from) throw this.#malformed(`the call header has ${length} bytes, longer than the payload`);
    this.#messageStart = from + length;
    return this.#parse("call header", decodeHeader, from, this.#messageStart);
  }

  #checkSize(bytes: number): void {
    const limit = this.#state.limits.maxMessageBytes;
    if (bytes <= limit) return;
    const message = `a message of ${bytes} bytes is over the limit of ${limit} (max_message_bytes)`;
    throw this.#malformed(message, Code.ResourceExhausted);
  }

  /** A peer that asks and never reads the answers is cut off before they fill the memory. */
  #checkAnswersAreRead(): void {
    const { output, limits } = this.#state;
    if (output.bytes <= limits.maxBufferBytes * 2) return;
    throw this.#malformed(`${output.bytes} bytes of answers were not read`, Code.ResourceExhausted);
  }

  #parse<T>(what: string, parse: (payload: Uint8Array) => T, from = this.#decoder.start, to = this.#decoder.end): T {
    try {
      return parse(this.#decoder.bytes.subarray(from, to));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw this.#malformed(`the ${what} cannot be parsed: ${why}`);
    }
  }

  /** Adds to an error where in the stream its cause is. */
  #check<T>(check: () => T): T {
    try {
      return check();
    } catch (error) {
      const { code, message } = AnyplugError.from(error, Code.Internal);
      throw this.#malformed(message, code);
    }
  }

  #malformed(what: string, code: Code = Code.Internal): AnyplugError {
    return new AnyplugError(code, `${what} (frame at offset ${this.#decoder.offset})`);
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
