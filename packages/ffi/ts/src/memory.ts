/** Memory of JavaScript whose address is known to C. */

import { unwritten } from "@anyplug/core/transports";
import type { Address, Native } from "./native.js";

/** Bytes at an address. They stay there as long as this is alive. */
export class Room {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly address: Address;

  constructor(native: Native, size: number) {
    this.bytes = unwritten(size);
    this.address = native.addressOf(this.bytes);
  }
}

/** A struct of C: 32-bit halves, as the machine orders them. */
export class Struct {
  readonly address: Address;
  /** What is in it, in pieces of four bytes. */
  readonly words: Uint32Array<ArrayBuffer>;

  constructor(native: Native, bytes: number) {
    // What is small may lie among the objects, which move.
    this.words = new Uint32Array(new ArrayBuffer(Math.max(bytes, 128)), 0, bytes / 4);
    this.address = native.addressOf(this.words);
  }

  /** A u32 at an offset in bytes. */
  word(offset: number): number {
    return this.words[offset >> 2] as number;
  }

  setWord(offset: number, value: number): void {
    this.words[offset >> 2] = value;
  }

  /** A pointer, or a size_t, at an offset in bytes. One that is no number is larger than all of them. */
  pointer(offset: number): number {
    const lower = this.word(offset + low);
    const upper = this.word(offset + high);
    // What is small stays a small integer, which costs engines less than other numbers.
    return upper === 0 ? lower : lower + upper * 0x1_0000_0000;
  }

  setPointer(offset: number, value: number): void {
    this.words[(offset + low) >> 2] = value;
    this.words[(offset + high) >> 2] = value / 0x1_0000_0000;
  }
}

const isLittle = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
const [low, high] = isLittle ? [0, 4] : [4, 0];

/** Bytes of the room that small pieces are put into. */
const slabBytes = 65_536;

/** What a plugin sent, and its host has not handled yet. */
export class Outbox {
  /** Bytes that were not taken yet. */
  length = 0;
  readonly #native: Native;
  readonly #usual: Room;
  #slab: Room;
  #start = 0;

  constructor(native: Native) {
    this.#native = native;
    this.#usual = new Room(native, slabBytes);
    this.#slab = this.#usual;
  }

  /** Copies bytes of the plugin's. */
  push(data: Address, size: number): void {
    const end = this.#start + this.length;
    if (this.#slab.bytes.length - end < size) this.#replace(size);
    this.#native.copy(this.#slab.address + this.#start + this.length, data, size);
    this.length += size;
  }

  /** Returns what came since the last time, in one piece. It stays as it is until `rewind`. */
  take(): Uint8Array {
    const taken = this.#slab.bytes.subarray(this.#start, this.#start + this.length);
    this.#start += this.length;
    this.length = 0;
    return taken;
  }

  /** What was taken is not needed any more. */
  rewind(): void {
    if (this.length > 0) return;
    this.#start = 0;
    this.#slab = this.#usual;
  }

  #replace(size: number): void {
    const waiting = this.#slab.bytes.subarray(this.#start, this.#start + this.length);
    const slab = new Room(this.#native, Math.max(slabBytes, this.length * 2, this.length + size));
    slab.bytes.set(waiting);
    this.#slab = slab;
    this.#start = 0;
  }
}
