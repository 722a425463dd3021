/** What a session has to tell. */

import type { Call } from "./call.js";
import type { CallHeader } from "./header.js";
import type { Hello } from "./hello.js";
import type { LogRecord } from "./log.js";
import type { Status } from "./status.js";

/** The peer makes a call. */
export class RequestEvent {
  readonly type = "request";

  /** The message lies in `source`, from `from` to `to`. That memory may be overwritten when the event has been handled. */
  constructor(
    readonly call: number,
    /** The index of the method in this side's table. */
    readonly index: number,
    readonly service: string,
    readonly method: string,
    readonly header: CallHeader | undefined,
    /** No message follows. */
    readonly end: boolean,
    readonly source: Uint8Array,
    readonly from: number,
    readonly to: number,
    /** The memory is not used again. */
    readonly owned: boolean,
    readonly state: Call,
  ) {}

  /** The one request message; undefined when the requests are streamed. */
  get payload(): Uint8Array | undefined {
    return this.end ? this.source.subarray(this.from, this.to) : undefined;
  }
}

/** A message of a call. Once the application has done with it, it calls `consume`. */
export class MessageEvent {
  readonly type = "message";

  /** As for {@link RequestEvent}. */
  constructor(
    readonly call: number,
    /** Of a callee's first message, where one was sent. */
    readonly header: CallHeader | undefined,
    /** The sender's last; from a callee, the call has succeeded. */
    readonly end: boolean,
    readonly source: Uint8Array,
    readonly from: number,
    readonly to: number,
    /** The memory is not used again. */
    readonly owned: boolean,
    readonly state: Call,
  ) {}

  get payload(): Uint8Array {
    return this.source.subarray(this.from, this.to);
  }
}

/** What happened. Every input may cause any number of events; `nextEvent` gives them in order. */
export type SessionEvent =
  /** The peer's HELLO came: calls can be made. */
  | { readonly type: "hello"; readonly peer: Hello }
  | RequestEvent
  | MessageEvent
  /** From a callee: the call is over. From a caller: no message follows. */
  | { readonly type: "end"; readonly call: number; readonly status: Status; readonly state: Call }
  /** The caller, or this session, ended a call that the peer made; nothing can be sent for it any more. */
  | { readonly type: "cancelled"; readonly call: number; readonly status: Status; readonly state: Call }
  /** A call that had to wait may send again. */
  | { readonly type: "writable"; readonly call: number; readonly state: Call }
  /** The answer to a ping. */
  | { readonly type: "pong"; readonly payload: Uint8Array }
  | { readonly type: "log"; readonly record: LogRecord }
  /** The peer takes no new calls. With a status it ends the connection; without, it drains. */
  | { readonly type: "goaway"; readonly status: Status | undefined }
  /** One side drains, and no call is left. */
  | { readonly type: "drained" }
  /** The connection has ended. Nothing comes after this event. */
  | { readonly type: "closed"; readonly status: Status };

/** Events in order. The memory stays when the queue is empty, as it is after each small call. */
export class EventQueue {
  readonly #events: (SessionEvent | undefined)[] = [];
  #first = 0;
  #end = 0;

  push(event: SessionEvent): void {
    this.#events[this.#end++] = event;
  }

  take(): SessionEvent | undefined {
    if (this.#first === this.#end) return undefined;
    const event = this.#events[this.#first];
    this.#events[this.#first++] = undefined;
    if (this.#first < this.#end) return event;
    // After a flood the memory goes.
    if (this.#end > keptEvents) this.#events.length = 0;
    this.#first = 0;
    this.#end = 0;
    return event;
  }
}

const keptEvents = 1024;
