/** Writes messages into one buffer, over and over. */

import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { unwritten } from "./memory.js";
import { writeSome, writeText } from "./text.js";

/** Up to this length a loop is faster than a call of the encoder, in UTF-16 code units. */
const loopLength = 16;
/** A buffer that grew over this is not kept, in bytes. */
const keptBytes = 1_048_576;
const initialBytes = 4096;
/** Up to this length room is made for any text at once, in UTF-16 code units. */
const shortLength = 1024;

const maxUint32 = 0xffff_ffff;
const maxInt32 = 0x7fff_ffff;
const minInt32 = -0x8000_0000;

/**
 * What the generated codecs write to: the runtime's writer, except that one object serves any number of messages, and that what was written can be had without a copy.
 */
export class MessageWriter extends BinaryWriter {
  /** What was written: the first `length` bytes. */
  target = new Uint8Array(initialBytes);
  /** Bytes that were written. */
  length = 0;
  #view: DataView | undefined;
  #forks: number[] = [];

  /** Forgets what was written. */
  reset(): void {
    this.length = 0;
    if (this.#forks.length > 0) this.#forks = [];
    if (this.target.length > keptBytes) this.#replace(new Uint8Array(initialBytes));
  }

  /** Gives the buffer away, with what was written. */
  take(): Uint8Array {
    const bytes = this.target.subarray(0, this.length);
    this.#replace(new Uint8Array(initialBytes));
    this.reset();
    return bytes;
  }

  override finish() {
    const bytes = this.target.slice(0, this.length);
    this.reset();
    return bytes;
  }

  override fork(): this {
    this.#reserve(1);
    this.#forks.push(this.length);
    // Room for a length under 128, as most are.
    this.length += 1;
    return this;
  }

  override join(): this {
    const start = this.#forks.pop();
    if (start === undefined) throw new Error("invalid state, fork stack empty");
    const end = this.length;
    const length = end - start - 1;
    if (length < 0x80) {
      this.target[start] = length;
      return this;
    }
    const extra = varintBytes(length) - 1;
    this.#reserve(extra);
    this.target.copyWithin(start + 1 + extra, start + 1, end);
    this.length = start;
    this.#varint(length);
    this.length = end + extra;
    return this;
  }

  override raw(chunk: Uint8Array): this {
    this.#reserve(chunk.length);
    this.target.set(chunk, this.length);
    this.length += chunk.length;
    return this;
  }

  override uint32(value: number): this {
    if (!Number.isInteger(value) || value < 0 || value > maxUint32) throw new Error(`invalid uint32: ${value}`);
    this.#reserve(5);
    this.#varint(value);
    return this;
  }

  override int32(value: number): this {
    checkInt32(value);
    this.#reserve(10);
    if (value >= 0) this.#varint(value);
    else this.#varint64(value >>> 0, maxUint32);
    return this;
  }

  override sint32(value: number): this {
    checkInt32(value);
    return this.uint32(((value << 1) ^ (value >> 31)) >>> 0);
  }

  override bool(value: boolean): this {
    this.#reserve(1);
    this.target[this.length++] = value ? 1 : 0;
    return this;
  }

  override bytes(value: Uint8Array): this {
    this.uint32(value.length);
    return this.raw(value);
  }

  override string(value: string): this {
    const { length } = value;
    if (length <= loopLength && this.#ascii(value, length)) return this;
    // The length goes first and is known last: a code unit takes up to 3 bytes, and one in most text.
    const guess = varintBytes(length);
    const start = this.length;
    const written = length <= shortLength ? this.#short(value, start + guess) : this.#long(value, start + guess);
    const actual = varintBytes(written);
    if (actual !== guess) {
      this.#reserve(5 + written);
      this.target.copyWithin(start + actual, start + guess, start + guess + written);
    }
    this.#varint(written);
    this.length += written;
    return this;
  }

  /** Writes text where there is room for it in any case; the position stays. */
  #short(value: string, at: number): number {
    this.#reserve(value.length * 3 + 5);
    return writeText(this.target, at, value);
  }

  /** Writes text where there is room if it is ASCII, and makes more when it is not; the position stays. */
  #long(value: string, at: number): number {
    this.#reserve(value.length + 5);
    const { read, written } = writeSome(this.target, at, value);
    if (read === value.length) return written;
    // What grows keeps what lies before the position.
    const start = this.length;
    this.length = at + written;
    this.#reserve((value.length - read) * 3 + 5);
    this.length = start;
    return written + writeSome(this.target, at + written, value.slice(read)).written;
  }

  override float(value: number): this {
    if (typeof value !== "number" || (Number.isFinite(value) && !Number.isFinite(Math.fround(value)))) {
      throw new Error(`invalid float32: ${value}`);
    }
    this.#viewOf(4).setFloat32(this.length - 4, value, true);
    return this;
  }

  override double(value: number): this {
    this.#viewOf(8).setFloat64(this.length - 8, value, true);
    return this;
  }

  override fixed32(value: number): this {
    if (!Number.isInteger(value) || value < 0 || value > maxUint32) throw new Error(`invalid uint32: ${value}`);
    this.#viewOf(4).setUint32(this.length - 4, value, true);
    return this;
  }

  override sfixed32(value: number): this {
    checkInt32(value);
    this.#viewOf(4).setInt32(this.length - 4, value, true);
    return this;
  }

  override fixed64(value: bigint | number | string): this {
    this.#viewOf(8).setBigUint64(this.length - 8, uint64(value), true);
    return this;
  }

  override sfixed64(value: bigint | number | string): this {
    this.#viewOf(8).setBigInt64(this.length - 8, int64(value), true);
    return this;
  }

  override int64(value: bigint | number | string): this {
    return this.#bigVarint(BigInt.asUintN(64, int64(value)));
  }

  override uint64(value: bigint | number | string): this {
    return this.#bigVarint(uint64(value));
  }

  override sint64(value: bigint | number | string): this {
    const number = int64(value);
    return this.#bigVarint(BigInt.asUintN(64, (number << 1n) ^ (number >> 63n)));
  }

  /** Writes text with its length, if it is ASCII; else it writes nothing and returns false. */
  #ascii(value: string, length: number): boolean {
    this.#reserve(length + 1);
    const bytes = this.target;
    let position = this.length;
    bytes[position++] = length;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return false;
      bytes[position++] = code;
    }
    this.length = position;
    return true;
  }

  #varint(value: number): void {
    const bytes = this.target;
    let position = this.length;
    let rest = value;
    while (rest > 0x7f) {
      bytes[position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[position++] = rest;
    this.length = position;
  }

  #varint64(low: number, high: number): void {
    let [rest, above] = [low, high];
    while (above > 0) {
      this.target[this.length++] = (rest & 0x7f) | 0x80;
      rest = ((rest >>> 7) | (above << 25)) >>> 0;
      above >>>= 7;
    }
    this.#varint(rest);
  }

  #bigVarint(value: bigint): this {
    this.#reserve(10);
    this.#varint64(Number(value & 0xffff_ffffn), Number(value >> 32n));
    return this;
  }

  /** A view of the buffer; that many bytes are about to be written before the position. */
  #viewOf(bytes: number): DataView {
    this.#reserve(bytes);
    this.length += bytes;
    this.#view ??= new DataView(this.target.buffer);
    return this.#view;
  }

  #reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed > this.target.length) this.#grow(needed);
  }

  #grow(needed: number): void {
    const larger = unwritten(Math.max(needed, this.target.length * 2));
    larger.set(this.target.subarray(0, this.length));
    this.#replace(larger);
  }

  #replace(bytes: Uint8Array<ArrayBuffer>): void {
    this.target = bytes;
    this.#view = undefined;
  }
}

function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

function checkInt32(value: number): void {
  if (!Number.isInteger(value) || value > maxInt32 || value < minInt32) throw new Error(`invalid int32: ${value}`);
}

function int64(value: bigint | number | string): bigint {
  const number = BigInt(value);
  if (BigInt.asIntN(64, number) !== number) throw new Error(`invalid int64: ${value}`);
  return number;
}

function uint64(value: bigint | number | string): bigint {
  const number = BigInt(value);
  if (BigInt.asUintN(64, number) !== number) throw new Error(`invalid uint64: ${value}`);
  return number;
}
