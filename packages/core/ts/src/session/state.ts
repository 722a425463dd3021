/** What the two halves of a session share: the calls, what is to be written, what is to be told. */

import { GoAway as WireGoAway } from "@anyplug/protocol/anyplug/wire/v1/connection.js";
import type { Call } from "../call.js";
import { Code } from "../code.js";
import { encodeMessage } from "../codec.js";
import { EventQueue } from "../event.js";
import { FrameKind, frameHeaderBytes } from "../frame.js";
import {
  encodeHello,
  type Hello,
  MethodTable,
  magic,
  minProtocolVersion,
  protocolVersion,
  type ServiceEntry,
  type ServiceUse,
} from "../hello.js";
import { type LimitOptions, type Limits, mergeLimits } from "../limits.js";
import { Output } from "../output.js";
import { encodeStatus, failure, type Status, statusToWire } from "../status.js";

/** Which side of a connection a session is: the one that loads, or the one that is loaded. */
export type Role = "host" | "plugin";

/** How a session is made. */
export interface SessionOptions {
  readonly role: Role;
  readonly name: string;
  readonly version: string;
  /** The language and library, for people and logs only. */
  readonly runtime: string;
  /** The limits that its owner sets. A plugin takes over the host's where none is set. */
  readonly limits?: LimitOptions | undefined;
  /** What is served; the methods in this order form the method table, and the first service is the reflection service. */
  readonly services: readonly ServiceEntry[];
  /** What the peer is expected to serve. */
  readonly uses: readonly ServiceUse[];
  /** Of a host: the plugin that it wants, where a set is served at one address. */
  readonly plugin?: string | undefined;
  /** Of a host: the configuration of a plugin that it does not start, as JSON. */
  readonly config?: string | undefined;
}

/** What the peer's HELLO said. */
export interface Peer {
  readonly hello: Hello;
  readonly table: MethodTable;
}

/** A number of bytes of answers that is always allowed, however small the buffer. */
const answerBytesAllowed = 65_536;

/** The state of one side of a connection. */
export class SessionState {
  readonly options: SessionOptions;
  readonly table: MethodTable;
  readonly output = new Output();
  readonly events = new EventQueue();
  /** The calls of both sides by id, in the order in which they were opened. */
  readonly calls = new Map<number, Call>();
  limits: Limits;
  peer: Peer | undefined;
  /** Open calls that this side made. */
  openOwn = 0;
  /** Open calls that the peer made. */
  openOfPeer = 0;
  unreadBytes = 0;
  unreadMessages = 0;
  /** Bytes of the output that answer what the peer asked by a frame. */
  answerBytes = 0;
  /** Calls that are told when something of the output was taken. */
  readonly waitingForOutput: number[] = [];
  drainSent = false;
  drainReceived = false;
  /** Why the connection ended. */
  closed: Status | undefined;
  #spoke = false;
  #drainedTold = false;

  constructor(options: SessionOptions) {
    this.options = options;
    this.table = new MethodTable(options.services);
    this.limits = mergeLimits(options.limits);
    if (options.role === "host") this.speak();
  }

  /** Whether a call of that id is one that this side made. */
  isOwn(call: number): boolean {
    return (call & 1) === (this.options.role === "host" ? 1 : 0);
  }

  /** Writes magic and HELLO, once. */
  speak(): void {
    if (this.#spoke) return;
    this.#spoke = true;
    const { name, version, runtime, services, uses, plugin = "", config = "" } = this.options;
    const versions = { protocol: protocolVersion, minProtocol: minProtocolVersion };
    const own = { ...versions, name, version, runtime, limits: this.limits, services, uses, plugin, config };
    this.output.raw(magic);
    this.output.frame(FrameKind.Hello, 0, 0, 0, encodeHello(own));
  }

  /** Writes a status. */
  writeStatus(kind: number, call: number, status: Status): void {
    this.output.frame(kind, 0, 0, call, encodeStatus(status));
  }

  /** Whether as many bytes wait to be written as may. A request that is written whole goes over that only when nothing waits. */
  isOutputOver(bytes: number, isWholeCall: boolean): boolean {
    const waiting = this.output.bytes;
    const limit = this.limits.maxBufferBytes;
    return isWholeCall ? waiting > 0 && waiting + bytes > limit : waiting >= limit;
  }

  /** Tells that a call is writable when something of the output was taken. */
  waitForOutput(id: number, call: Call): void {
    if (call.waitsForOutput) return;
    call.waitsForOutput = true;
    this.waitingForOutput.push(id);
  }

  /** Writes what the peer asked for by a frame. False when it asks without end and reads nothing: then nothing is written. */
  answer(kind: number, call: number, payload: Uint8Array): boolean {
    if (this.answerBytes > this.maxAnswerBytes) return false;
    this.answerBytes += frameHeaderBytes + payload.length;
    this.output.frame(kind, 0, 0, call, payload);
    return true;
  }

  /** Answers that may wait to be written, in bytes. */
  get maxAnswerBytes(): number {
    return Math.max(this.limits.maxBufferBytes, answerBytesAllowed);
  }

  /** Ends an open call from this side, on the wire and for the application. */
  abort(id: number, call: Call, status: Status): void {
    this.writeStatus(call.isCallee ? FrameKind.End : FrameKind.Cancel, id, status);
    this.forget(id, call);
    this.events.push({ type: call.isCallee ? "cancelled" : "end", call: id, status, state: call });
    this.tellDrained();
  }

  /** Removes a call with all that it holds. */
  forget(id: number, call: Call): void {
    this.calls.delete(id);
    this.unreadBytes -= call.unreadBytes;
    this.unreadMessages -= call.unreadMessages;
    if (call.isOpen) this.uncount(call);
  }

  /** The callee has ended a call of this side. It is forgotten when there is nothing left to read. */
  endByCallee(id: number, call: Call): void {
    if (call.unreadMessages === 0) this.calls.delete(id);
    this.uncount(call);
  }

  /** Tells when a drain is over. */
  tellDrained(): void {
    if (this.#drainedTold || !(this.drainSent || this.drainReceived) || this.openOwn + this.openOfPeer > 0) return;
    this.#drainedTold = true;
    this.events.push({ type: "drained" });
  }

  /** Ends the connection for a reason of this side, which the peer is told. */
  fail(status: Status): void {
    if (this.closed !== undefined) return;
    // The peer reads nothing before HELLO.
    this.speak();
    const wire = { status: statusToWire(status) };
    this.output.frame(FrameKind.GoAway, 0, 0, 0, encodeMessage(WireGoAway, wire));
    this.close(status);
  }

  /** Ends all calls, in the order in which they were opened, and then the connection. */
  close(status: Status): void {
    if (this.closed !== undefined) return;
    this.closed = status;
    const lost = failure(Code.Unavailable, `the connection ended: ${status.message}`);
    for (const [id, call] of this.calls) {
      if (!call.isOpen) continue;
      call.isOpen = false;
      this.events.push({ type: call.isCallee ? "cancelled" : "end", call: id, status: lost, state: call });
    }
    this.calls.clear();
    this.openOwn = 0;
    this.openOfPeer = 0;
    this.unreadBytes = 0;
    this.unreadMessages = 0;
    this.events.push({ type: "closed", status });
  }

  private uncount(call: Call): void {
    call.isOpen = false;
    if (call.isCallee) this.openOfPeer -= 1;
    else this.openOwn -= 1;
  }
}
