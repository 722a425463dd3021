/** A plugin in this process as the channel of a connection. */

import type { Answer, AnyplugError, Channel, ChannelReceiver, LogRecord } from "@anyplug/core";
import { Guest } from "./guest.js";
import type { Library } from "./library.js";

/** So many calls into the plugin follow each other at most before the event loop gets a turn: host and plugin could answer each other without end. */
const entriesInATurn = 512;
/** The longest that a timer takes, in milliseconds. */
const longestTimerMs = 0x7fff_ffff;
/** The call that fails is told by other means. */
const noCall = -1;

const nothing = new Uint8Array(0);

/** What a channel needs to know of its connection. */
export interface Surroundings {
  readonly library: Library;
  readonly onLog: ((record: LogRecord) => void) | undefined;
  /** The largest message that this side takes, in bytes. */
  maxMessageBytes(): number;
  /** Whether something is waited for that comes from the plugin: the process does not end meanwhile. */
  isBusy(): boolean;
}

/** Moves the bytes of a connection by calls into a plugin. */
export class FfiChannel implements Channel {
  readonly guest: Guest;
  readonly #surroundings: Surroundings;
  #receiver: ChannelReceiver | undefined;
  #ended = false;
  /** What was written while bytes were handled, or before the event loop had its turn. */
  #waiting: (readonly Uint8Array[])[] = [];
  #pumping = false;
  /** Calls into the plugin since the event loop had a turn. */
  #entries = 0;
  #resting = false;
  #isPumpDue = false;
  /** A timer that keeps the process alive while there is something to wait for. */
  readonly #keeper: NodeJS.Timeout;
  #isKept = true;
  readonly #answer: Answer = { state: "pending", bytes: nothing, from: 0, to: 0, owned: false, more: false };

  /** Makes an instance. @throws AnyplugError as `Guest`. */
  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.guest = new Guest(surroundings.library, () => this.#pumpSoon());
    this.#keeper = setInterval(() => {}, longestTimerMs);
  }

  open(receiver: ChannelReceiver): void {
    this.#receiver = receiver;
    this.#pump();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#ended) return true;
    this.#waiting.push(chunks);
    this.#pump();
    return !this.#resting;
  }

  close(): void {
    this.#ended = true;
    this.#waiting = [];
    clearInterval(this.#keeper);
    this.#tellLogs();
  }

  callNow(
    call: number,
    method: number,
    header: Uint8Array | undefined,
    payload: Uint8Array,
    size: number,
  ): Answer | undefined {
    if (this.#ended || this.#waiting.length > 0) return undefined;
    const { guest } = this;
    const answer = this.#answer;
    const state = guest.call(call, method, header, payload, size);
    const fault = guest.result.read(state);
    if (fault !== undefined) guest.fail(fault);
    if (guest.failed !== undefined) throw this.#fail(guest.failed);
    answer.more = guest.outbox.length > 0 || guest.logs.length > 0;
    answer.state = state === 0 ? "done" : state === 1 ? "failed" : "pending";
    if (state !== 2) this.#takeResult(answer);
    return answer;
  }

  deliver(): void {
    this.#pump();
  }

  /** Whether what is waited for comes from the plugin is asked again. */
  review(): void {
    if (this.#ended) return;
    const isBusy = this.#surroundings.isBusy();
    if (isBusy === this.#isKept) return;
    this.#isKept = isBusy;
    if (isBusy) this.#keeper.ref();
    else this.#keeper.unref();
  }

  /** The answer lies in the host's room, unless something happens before it is read. */
  #takeResult(answer: Answer): void {
    const { result } = this.guest;
    answer.to = result.length;
    answer.owned = answer.more || result.isElsewhere;
    answer.bytes = answer.owned ? this.#ownResult() : result.room.bytes;
  }

  #ownResult(): Uint8Array {
    const { room, length, isElsewhere } = this.guest.result;
    // Of one over the limit nothing but its length is looked at.
    return isElsewhere ? this.guest.takeResult(this.#surroundings.maxMessageBytes()) : room.bytes.slice(0, length);
  }

  /** A thread of the plugin sent. It goes on before what it sent is handled. */
  #pumpSoon(): void {
    if (this.#isPumpDue) return;
    this.#isPumpDue = true;
    queueMicrotask(() => {
      this.#isPumpDue = false;
      this.#entries = 0;
      this.#pump();
    });
  }

  /** Moves bytes until there are none, in either direction. */
  #pump(): void {
    if (this.#pumping || this.#ended) return;
    this.#pumping = true;
    try {
      for (;;) {
        this.#deliver();
        if (this.#resting || this.#ended) break;
        const chunks = this.#waiting[0];
        if (chunks === undefined) break;
        if (this.#entries >= entriesInATurn) {
          this.#rest();
          break;
        }
        this.#waiting.shift();
        this.#entries += 1;
        this.guest.receive(chunks);
      }
    } finally {
      this.#pumping = false;
    }
    this.review();
  }

  /** Hands over what the plugin sent and logged. */
  #deliver(): void {
    const { guest } = this;
    if (this.#receiver === undefined) return;
    if (guest.logs.length > 0) this.#tellLogs();
    // Nothing of it is looked at any more.
    if (guest.failed !== undefined) this.#fail(guest.failed);
    while (guest.outbox.length > 0 && !this.#ended) {
      this.#receiver.data(guest.outbox.take());
      guest.outbox.rewind();
    }
  }

  #tellLogs(): void {
    const records = this.guest.logs;
    this.guest.logs = [];
    for (const record of records) {
      try {
        this.#surroundings.onLog?.(record);
      } catch (error) {
        console.error("anyplug: onLog failed:", error);
      }
    }
  }

  /** Lets the event loop have a turn before the plugin gets more. */
  #rest(): void {
    this.#resting = true;
    setImmediate(() => {
      this.#resting = false;
      this.#entries = 0;
      if (this.#ended) return;
      this.#pump();
      if (!this.#resting && !this.#ended) this.#receiver?.drain();
    });
  }

  #fail(reason: AnyplugError): AnyplugError {
    if (this.#ended) return reason;
    this.close();
    this.#receiver?.closed(reason, noCall);
    return reason;
  }
}
