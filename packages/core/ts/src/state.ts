/** What the two halves of a session share: the calls, what is to be written, what is to be told. */

import { GoAway as WireGoAway } from "@anyplug/protocol/anyplug/wire/v1/connection.js";
import type { Call } from "./call.js";
import { Code } from "./code.js";
import { encodeMessage } from "./codec.js";
import type { SessionEvent } from "./event.js";
import { FrameKind } from "./frame.js";
import {
  encodeHello,
  type Hello,
  MethodTable,
  magic,
  minProtocolVersion,
  protocolVersion,
  type ServiceEntry,
  type ServiceUse,
} from "./hello.js";
import { type LimitOptions, type Limits, mergeLimits } from "./limits.js";
import { Output } from "./output.js";
import { encodeStatus, failure, type Status } from "./status.js";

/** Who loads, and who is loaded. */
export type Role = "host" | "plugin";

/** How a session is made. */
export interface SessionOptions {
  readonly role: Role;
  readonly name: string;
  readonly version: string;
  /** The language and library of this side, for people and logs. */
  readonly runtime: string;
  /** What this side accepts. A plugin takes over the host's limit where none is set. */
  readonly limits?: LimitOptions | undefined;
  /** What this side serves; the first is the reflection service. */
  readonly services: readonly ServiceEntry[];
  /** What this side means to call. */
  readonly uses: readonly ServiceUse[];
}

/** What this side knows of the peer. */
export interface Peer {
  readonly hello: Hello;
  readonly table: MethodTable;
}

/** The state of one end of a connection. */
export class SessionState {
  readonly options: SessionOptions;
  readonly table: MethodTable;
  readonly output = new Output();
  readonly events: SessionEvent[] = [];
  /** The open calls of both sides, by id. */
  readonly calls = new Map<number, Call>();
  limits: Limits;
  peer: Peer | undefined;
  /** Open calls of this side. */
  outgoing = 0;
  /** Open calls of the peer. */
  incoming = 0;
  /** Bytes of messages that the application has not consumed. */
  heldBytes = 0;
  sentGoAway = false;
  receivedGoAway = false;
  /** Why the connection ended. */
  closed: Status | undefined;
  #greeted = false;
  #drained = false;

  constructor(options: SessionOptions) {
    this.options = options;
    this.table = new MethodTable(options.services);
    this.limits = mergeLimits(options.limits);
    if (options.role === "host") this.greet();
  }

  /** Whether a call of that id is one that this side made. */
  isOwn(call: number): boolean {
    return (call & 1) === (this.options.role === "host" ? 1 : 0);
  }

  /** Writes magic and hello, once. */
  greet(): void {
    if (this.#greeted) return;
    this.#greeted = true;
    const { name, version, runtime, services, uses } = this.options;
    const own = { protocol: protocolVersion, minProtocol: minProtocolVersion, name, version, runtime, services, uses };
    this.output.raw(magic);
    this.output.frame(FrameKind.Hello, 0, 0, 0, encodeHello({ ...own, limits: this.limits }));
  }

  /** A call has ended, at whichever side: nothing more is known of it. */
  forget(id: number, call: Call): void {
    this.calls.delete(id);
    if (call.isCallee) this.incoming -= 1;
    else this.outgoing -= 1;
    this.checkDrained();
  }

  /** Tells when a drain is over. */
  checkDrained(): void {
    if (this.#drained || this.calls.size > 0 || !(this.sentGoAway || this.receivedGoAway)) return;
    this.#drained = true;
    this.events.push({ type: "drained" });
  }

  /** Ends a call that goes against a limit, at both sides. */
  abort(id: number, call: Call, status: Status): void {
    const type = call.isCallee ? "cancelled" : "end";
    this.events.push({ type, call: id, status });
    this.output.frame(call.isCallee ? FrameKind.End : FrameKind.Cancel, 0, 0, id, encodeStatus(status));
    this.forget(id, call);
  }

  /** Ends the connection for a reason that the peer is told as the last thing. */
  fail(status: Status): void {
    if (this.closed !== undefined) return;
    // The peer reads nothing before a hello.
    this.greet();
    const { code, message } = status;
    const wire = { code, message: message.slice(0, 8192), details: [], metadata: [] };
    this.output.frame(FrameKind.GoAway, 0, 0, 0, encodeMessage(WireGoAway, { status: wire }));
    this.close(status);
  }

  /** Ends the connection, and every call in flight with it. */
  close(status: Status): void {
    if (this.closed !== undefined) return;
    this.closed = status;
    const reason = failure(Code.Unavailable, `the connection ended: ${status.message}`);
    const open = [...this.calls].sort(([a], [b]) => a - b);
    this.calls.clear();
    this.outgoing = 0;
    this.incoming = 0;
    for (const [id, call] of open) {
      this.events.push({ type: call.isCallee ? "cancelled" : "end", call: id, status: reason });
    }
    this.events.push({ type: "closed", status });
  }
}
