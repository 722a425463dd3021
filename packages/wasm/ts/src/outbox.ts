/** What a guest sent while it ran, and its host has not handled yet. */

import type { GuestMemory } from "./memory.js";

/** Bytes of the memory that small pieces are put into. It is never written twice: what was taken may be kept. */
const slabBytes = 65_536;

/** Collects bytes into one piece. */
export class Outbox {
  /** Bytes that were not taken yet. */
  length = 0;
  #slab = new Uint8Array(slabBytes);
  #start = 0;

  /** Copies a range of the guest's memory. */
  push(memory: GuestMemory, pointer: number, size: number): void {
    const end = this.#start + this.length;
    if (this.#slab.length - end < size) this.#replace(size);
    memory.copyTo(this.#slab, this.#start + this.length, pointer, size);
    this.length += size;
  }

  /** Returns what came since the last time, in one piece, whose memory is the caller's. */
  take(): Uint8Array {
    const taken = this.#slab.subarray(this.#start, this.#start + this.length);
    this.#start += this.length;
    this.length = 0;
    return taken;
  }

  #replace(size: number): void {
    const waiting = this.#slab.subarray(this.#start, this.#start + this.length);
    const slab = new Uint8Array(Math.max(slabBytes, this.length * 2, this.length + size));
    slab.set(waiting);
    this.#slab = slab;
    this.#start = 0;
  }
}
