/** A guest as the channel of a connection. */

import type { Answer, AnyplugError, Channel, ChannelReceiver, Hello, LogRecord } from "@anyplug/core";
import { magic, unwritten } from "@anyplug/core/transports";
import type { Compiled } from "./compile.js";
import { Guest, never } from "./guest.js";
import type { WasmLimits } from "./limits.js";
import { inNextTurn } from "./turn.js";

/** Bytes of a frame's header; the length of the payload comes first in it, the call id last. */
const headerBytes = 12;
/** So many calls into the guest follow each other at most before the event loop gets a turn: host and guest could answer each other without end. */
const entriesInATurn = 512;
const longestTimerMs = 0x7fff_ffff;

/** Pending bytes for the guest: the chunks of one write. */
type Chunks = readonly Uint8Array[];

/** Moves the bytes of a connection by calls into a guest, which handles a frame at a time. */
export class GuestChannel implements Channel {
  readonly #guest: Guest;
  readonly #onLog: ((record: LogRecord) => void) | undefined;
  #receiver: ChannelReceiver | undefined;
  /** The guest has failed, or is not needed any more. */
  #ended = false;
  /** What came while the guest was running, or before the event loop had its turn. */
  #waiting: Chunks[] = [];
  #pumping = false;
  /** Calls into the guest since the event loop had a turn. */
  #entries = 0;
  #resting = false;
  #hasSpoken = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  readonly #answer: Answer = { state: "pending", bytes: new Uint8Array(0), from: 0, to: 0, owned: false, more: false };

  /**
   * Makes the guest.
   *
   * @param readyBy until when it may run before `isReady` is set, by the clock of `performance.now`
   * @throws AnyplugError when the guest failed as it was made.
   */
  constructor(
    compiled: Compiled<Hello>,
    limits: WasmLimits,
    readyBy: number,
    onLog: ((record: LogRecord) => void) | undefined,
  ) {
    this.#onLog = onLog;
    this.#guest = new Guest(compiled, limits, () => {
      return this.isReady ? (this.#receiver?.latestDeadline?.() ?? Number.POSITIVE_INFINITY) : readyBy;
    });
  }

  /** The start of the guest is over: what it does is for calls. */
  isReady = false;

  /** Whether no call can be made by it any more. */
  get ended(): boolean {
    return this.#ended;
  }

  open(receiver: ChannelReceiver): void {
    this.#receiver = receiver;
    this.#tellLogs();
  }

  write(chunks: Chunks): boolean {
    if (this.#ended) return true;
    this.#waiting.push(chunks);
    this.#pump();
    return !this.#resting;
  }

  close(): void {
    if (!this.#ended) this.#guest.close();
    this.#ended = true;
    this.#waiting = [];
    clearTimeout(this.#timer);
  }

  callNow(
    call: number,
    method: number,
    header: Uint8Array | undefined,
    payload: Uint8Array,
    size: number,
    deadline: number,
  ): Answer | undefined {
    if (this.#ended || this.#waiting.length > 0) return undefined;
    const guest = this.#guest;
    const prefix = header === undefined ? 0 : 4 + header.length;
    const answer = this.#answer;
    try {
      const at = guest.place(prefix + size);
      if (at === undefined) throw guest.noRoom(size);
      const { memory } = guest;
      if (header !== undefined) {
        memory.writeWord(at, header.length);
        memory.write(at + 4, header, header.length);
      }
      memory.write(at + prefix, payload, size);
      const state = guest.call(call, method, header !== undefined, prefix + size, deadline);
      answer.more = guest.imports.outbox.length > 0 || guest.imports.logs.length > 0;
      answer.state = state === 0 ? "done" : state === 1 ? "failed" : "pending";
      if (state !== 2) this.#takeResult(answer);
      if (guest.isAllocated) guest.release();
    } catch (error) {
      const reason = error as AnyplugError;
      if (guest.hasFailed) this.#fail(reason, noCall);
      throw reason;
    }
    if (guest.wake !== never || this.#timerAt !== Number.POSITIVE_INFINITY) this.#arm();
    return answer;
  }

  deliver(): void {
    this.#pump();
  }

  /** The answer lies where the guest put it, unless something happens before it is read. */
  #takeResult(answer: Answer): void {
    const guest = this.#guest;
    const from = guest.result();
    const to = from + guest.resultBytes;
    if (!answer.more && !guest.isAllocated) {
      answer.bytes = guest.memory.bytes;
      answer.from = from;
      answer.to = to;
      answer.owned = false;
      return;
    }
    const kept = unwritten(to - from);
    guest.memory.copyTo(kept, 0, from, to - from);
    answer.bytes = kept;
    answer.from = 0;
    answer.to = to - from;
    answer.owned = true;
  }

  /** Moves bytes until there are none, in either direction. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      for (;;) {
        this.#deliver();
        if (this.#resting) break;
        const chunks = this.#waiting[0];
        if (chunks === undefined) break;
        if (this.#entries >= entriesInATurn) {
          this.#rest();
          break;
        }
        this.#waiting.shift();
        this.#give(chunks);
      }
    } finally {
      this.#pumping = false;
    }
    if (!this.#ended) this.#arm();
  }

  /** Hands over what the guest sent and logged. */
  #deliver(): void {
    const { imports } = this.#guest;
    if (imports.logs.length > 0) this.#tellLogs();
    while (imports.outbox.length > 0 && !this.#ended) this.#receiver?.data(imports.outbox.take());
  }

  #tellLogs(): void {
    this.#guest.imports.tellLogs(this.#onLog);
  }

  /** Gives the guest the frames of one write, each by itself: so it is known at which call it fails. */
  #give(chunks: Chunks): void {
    const bytes = chunks.length === 1 ? (chunks[0] as Uint8Array) : undefined;
    const source = new Pieces(chunks, bytes);
    if (!this.#hasSpoken) {
      this.#hasSpoken = true;
      if (!this.#feed(source, magic.length, 0)) return;
    }
    while (source.left >= headerBytes) {
      const size = headerBytes + source.word(0);
      if (!this.#feed(source, Math.min(size, source.left), source.word(8))) return;
    }
  }

  /** Gives the guest the next bytes. False when it failed, while it was at that call. */
  #feed(source: Pieces, size: number, call: number): boolean {
    const guest = this.#guest;
    this.#entries += 1;
    try {
      const at = guest.place(size);
      if (at === undefined) throw guest.noRoom(size);
      source.copyTo(guest, at, size);
      guest.receive(size);
      return true;
    } catch (error) {
      this.#fail(error as AnyplugError, call);
      return false;
    }
  }

  /** Lets the event loop have a turn before the guest gets more. */
  #rest(): void {
    this.#resting = true;
    inNextTurn(() => {
      this.#resting = false;
      this.#entries = 0;
      if (this.#ended) return;
      this.#pump();
      if (!this.#resting && !this.#ended) this.#receiver?.drain();
    });
  }

  /** Sees to it that the guest is called when it wants to be. */
  #arm(): void {
    const { wake } = this.#guest;
    if (wake === never) {
      if (this.#timerAt === Number.POSITIVE_INFINITY) return;
      clearTimeout(this.#timer);
      this.#timerAt = Number.POSITIVE_INFINITY;
      return;
    }
    const at = performance.now() + wake;
    // One that comes too early asks again.
    if (this.#timerAt <= at) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    if (wake === 0) inNextTurn(() => this.#wakeUp(at));
    else this.#timer = setTimeout(() => this.#wakeUp(at), Math.min(wake, longestTimerMs));
  }

  #wakeUp(at: number): void {
    if (this.#ended || this.#timerAt !== at) return;
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.#entries = 0;
    try {
      this.#guest.receive(0);
    } catch (error) {
      return this.#fail(error as AnyplugError, 0);
    }
    this.#pump();
  }

  #fail(reason: AnyplugError, call: number): void {
    if (this.#ended) return;
    this.close();
    this.#tellLogs();
    this.#receiver?.closed(reason, call);
  }
}

/** The call that fails is told by other means. */
const noCall = -1;

/** Bytes in several pieces, read from the front. */
class Pieces {
  left: number;
  readonly #chunks: Chunks;
  #index = 0;
  #position = 0;

  constructor(chunks: Chunks, only: Uint8Array | undefined) {
    this.#chunks = chunks;
    this.left = only?.length ?? chunks.reduce((sum, { length }) => sum + length, 0);
  }

  /** A little-endian u32, so many bytes from here. A frame's header lies in one piece. */
  word(offset: number): number {
    while (this.#position === this.#chunks[this.#index]?.length) {
      this.#index += 1;
      this.#position = 0;
    }
    const chunk = this.#chunks[this.#index] ?? magic;
    const at = this.#position + offset;
    const byte = (index: number) => chunk[at + index] ?? 0;
    return (byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24)) >>> 0;
  }

  /** Copies the next bytes to room in a guest. */
  copyTo({ memory }: Guest, pointer: number, size: number): void {
    for (let done = 0; done < size; ) {
      const chunk = this.#chunks[this.#index];
      if (chunk === undefined) return;
      const part = Math.min(size - done, chunk.length - this.#position);
      memory.write(pointer + done, chunk.subarray(this.#position, this.#position + part), part);
      this.#position += part;
      done += part;
      if (this.#position < chunk.length) continue;
      this.#index += 1;
      this.#position = 0;
    }
    this.left -= size;
  }
}
