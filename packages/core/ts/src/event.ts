/** What a session has to tell. */

import type { CallHeader } from "./header.js";
import type { Hello } from "./hello.js";
import type { LogRecord } from "./log.js";
import type { Status } from "./status.js";

/** The peer opened a call. */
export class RequestEvent {
  readonly type = "request";
  /**
   * `source` is the memory in which the message lies, from `from` to `to`; it may be overwritten after the event was handled. Without `end` there is no message yet.
   */
  constructor(
    readonly call: number,
    /** The position of the method in this side's table. */
    readonly index: number,
    readonly service: string,
    readonly method: string,
    readonly header: CallHeader | undefined,
    /** The message is the only one. */
    readonly end: boolean,
    readonly source: Uint8Array,
    readonly from: number,
    readonly to: number,
  ) {}

  /** The request message; undefined when messages follow. */
  get payload(): Uint8Array | undefined {
    return this.end ? this.source.subarray(this.from, this.to) : undefined;
  }
}

/** A message of a call came. */
export class MessageEvent {
  readonly type = "message";
  /** As for {@link RequestEvent}. */
  constructor(
    readonly call: number,
    readonly header: CallHeader | undefined,
    /** The peer's last. From a callee it says that the call succeeded and is over. */
    readonly end: boolean,
    /** Held for the application until `consume` is called with its length: every message but one that is the only one of its direction. */
    readonly held: boolean,
    readonly source: Uint8Array,
    readonly from: number,
    readonly to: number,
  ) {}

  get payload(): Uint8Array {
    return this.source.subarray(this.from, this.to);
  }
}

/** One thing that happened, in order. */
export type SessionEvent =
  /** The peer's hello came: calls can be made. */
  | { readonly type: "hello"; readonly peer: Hello }
  | RequestEvent
  | MessageEvent
  /** From a callee: the call is over, with this status. From a caller: no message follows. */
  | { readonly type: "end"; readonly call: number; readonly status: Status }
  /** A call that this side answers was cancelled, or ended by the session; nothing more is sent for it. */
  | { readonly type: "cancelled"; readonly call: number; readonly status: Status }
  /** A call has credit again. */
  | { readonly type: "writable"; readonly call: number }
  | { readonly type: "pong"; readonly payload: Uint8Array }
  | { readonly type: "log"; readonly record: LogRecord }
  /** The peer makes or takes no new calls; with a status: it ends the connection, and this is why. */
  | { readonly type: "goaway"; readonly status: Status | undefined }
  /** After a drain began, at either side: no call is left. */
  | { readonly type: "drained" }
  /** The connection has ended, and this is why. The last event. */
  | { readonly type: "closed"; readonly status: Status };
