/** Two channels in memory, back to back, for tests and the benchmark. */

import type { Channel, ChannelReceiver } from "../src/channel.js";
import { Code } from "../src/code.js";
import { AnyplugError } from "../src/error.js";

/** Costs less than queueMicrotask. */
const turn = Promise.resolve();

/** One end. What is written arrives at the other end in a microtask, or when `paused` ends. */
export class MemoryChannel implements Channel {
  /** Bytes that were written to this end's peer and have not arrived. */
  inFlightBytes = 0;
  /** The largest number of bytes that were in flight at once. */
  peakBytes = 0;
  /** Called with each chunk before it arrives; what it returns arrives instead. */
  tamper: (chunk: Uint8Array) => Iterable<Uint8Array> = (chunk) => [chunk];
  closed = false;
  #receiver: ChannelReceiver | undefined;
  #peer: MemoryChannel | undefined;
  #pending: Uint8Array[] = [];
  #scheduled = false;
  #paused = false;
  #full = false;
  readonly #highWaterBytes: number;
  readonly #deliver = () => {
    this.#scheduled = false;
    this.#run();
  };

  constructor(highWaterBytes: number) {
    this.#highWaterBytes = highWaterBytes;
  }

  connect(peer: MemoryChannel): void {
    this.#peer = peer;
  }

  open(receiver: ChannelReceiver): void {
    this.#receiver = receiver;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.closed) return true;
    for (const chunk of chunks) {
      this.#pending.push(chunk);
      this.inFlightBytes += chunk.length;
    }
    this.peakBytes = Math.max(this.peakBytes, this.inFlightBytes);
    this.#schedule();
    this.#full = this.inFlightBytes >= this.#highWaterBytes;
    return !this.#full;
  }

  /** Both ends close, once what this end wrote has arrived. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#schedule();
  }

  /** The peer reads no more until `resume`. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#paused) return;
    this.#scheduled = true;
    void turn.then(this.#deliver);
  }

  #run(): void {
    const peer = this.#peer;
    if (this.#paused || peer === undefined) return;
    for (const chunk of this.#pending.splice(0)) {
      this.inFlightBytes -= chunk.length;
      for (const piece of this.tamper(chunk)) {
        if (!peer.#ended) peer.#receiver?.data(piece);
      }
    }
    if (this.#full) {
      this.#full = false;
      this.#receiver?.drain();
    }
    if (!this.closed || this.inFlightBytes > 0) return;
    peer.#end("the other end closed the channel");
    this.#end("this end closed the channel");
  }

  #ended = false;

  #end(why: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.closed = true;
    this.#receiver?.closed(new AnyplugError(Code.Unavailable, why));
  }
}

/** Returns two ends of one channel. `highWaterBytes` in flight are what an end takes before it asks to wait. */
export function memoryChannels(highWaterBytes = 1_048_576): [MemoryChannel, MemoryChannel] {
  const one = new MemoryChannel(highWaterBytes);
  const other = new MemoryChannel(highWaterBytes);
  one.connect(other);
  other.connect(one);
  return [one, other];
}
