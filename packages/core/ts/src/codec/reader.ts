/** Reads messages in place, from memory that is used again afterwards. */

import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { readText } from "./text.js";

const none: Uint8Array = new Uint8Array(0);
/** Up to this length a loop is faster than a call of the decoder, in bytes. */
const loopBytes = 24;
/** Where the loop keeps the characters, for each length: new arrays would be half of what is allocated for a small message. */
const codesOf = Array.from({ length: loopBytes + 1 }, (_, length) => new Array<number>(length).fill(0));
/** How deep groups may be nested. Messages are counted by the codecs. */
const maxDepth = 100;

/** The bytes of one number: a view of the whole memory would have to be made for each message. */
const scratch = new Uint8Array(8);
const scratchView = new DataView(scratch.buffer);
/** The standard's, which copies: that of a Node `Buffer` does not. */
const { slice } = Uint8Array.prototype;

/**
 * What the generated codecs read from: the runtime's reader, except that one object serves any number of messages, that `bytes` fields and unknown fields are copied out
 * of the memory that is read, that no field is read past the end of its message, and that text which is not UTF-8 is refused.
 */
export class MessageReader extends BinaryReader {
  /** Where the generated codecs count the depth of nested messages; from the start, so that the object keeps its shape. */
  depth = 0;
  override readonly uint32: () => number = readUint32;
  #source: Uint8Array = none;
  #owned = false;
  #high = 0;

  constructor() {
    super(none);
  }

  /** Goes to the message that lies in `source` from `from` to `to`. `owned`: nobody else uses that memory. */
  reset(source: Uint8Array, from: number, to: number, owned = false): void {
    this.#source = source;
    this.#owned = owned;
    this.pos = from;
    (this as { len: number }).len = to;
  }

  /** Lets go of the memory. */
  release(): void {
    this.reset(none, 0, 0);
  }

  /** The next byte of a varint. */
  byte(): number {
    const position = this.pos;
    if (position >= this.len) throw new RangeError("premature EOF");
    this.pos = position + 1;
    return this.#source[position] as number;
  }

  override tag(): [number, WireType] {
    const start = this.pos;
    const tag = this.uint32();
    const length = this.pos - start;
    const last = this.#source[this.pos - 1] ?? 0;
    if (length > 5 || (length === 5 && last > 0x0f)) throw new Error("illegal tag: varint overflows uint32");
    const number = tag >>> 3;
    const wireType = tag & 7;
    if (number === 0 || wireType > 5) throw new Error(`illegal tag: field no ${number} wire type ${wireType}`);
    return [number, wireType];
  }

  override skip(wireType: WireType, fieldNumber?: number, recursionLimit = maxDepth): Uint8Array {
    const start = this.pos;
    this.#pass(wireType, fieldNumber, recursionLimit);
    return slice.call(this.#source, start, this.pos);
  }

  override int32(): number {
    return this.uint32() | 0;
  }

  override sint32(): number {
    const value = this.uint32();
    return (value >>> 1) ^ -(value & 1);
  }

  override uint64(): bigint {
    const low = this.#varint64();
    return this.#high === 0 ? BigInt(low) : (BigInt(this.#high) << 32n) | BigInt(low);
  }

  override int64(): bigint {
    const low = this.#varint64();
    return this.#high === 0 ? BigInt(low) : (BigInt(this.#high | 0) << 32n) | BigInt(low);
  }

  override sint64(): bigint {
    const value = this.uint64();
    return (value >> 1n) ^ -(value & 1n);
  }

  override bool(): boolean {
    const low = this.#varint64();
    return low !== 0 || this.#high !== 0;
  }

  override fixed32(): number {
    return this.#number(4).getUint32(0, true);
  }

  override sfixed32(): number {
    return this.#number(4).getInt32(0, true);
  }

  override fixed64(): bigint {
    return this.#number(8).getBigUint64(0, true);
  }

  override sfixed64(): bigint {
    return this.#number(8).getBigInt64(0, true);
  }

  override float(): number {
    return this.#number(4).getFloat32(0, true);
  }

  override double(): number {
    return this.#number(8).getFloat64(0, true);
  }

  override bytes(): Uint8Array {
    const length = this.#length();
    const start = this.pos;
    this.#advance(length);
    const source = this.#source;
    // What a field keeps of memory that is not its own is less than it is itself.
    const stays = this.#owned && length > source.length - length;
    return stays ? source.subarray(start, start + length) : slice.call(source, start, start + length);
  }

  override string(): string {
    const length = this.#length();
    const start = this.pos;
    this.#advance(length);
    const source = this.#source;
    if (length <= loopBytes) {
      const codes = codesOf[length] as number[];
      let index = 0;
      for (; index < length; index++) {
        const code = source[start + index] as number;
        if (code > 0x7f) break;
        codes[index] = code;
      }
      if (index === length) return String.fromCharCode(...codes);
    }
    return readText(source, start, start + length);
  }

  /** Reads the length of what follows: up to five bytes, less than 2 GiB. */
  #length(): number {
    const start = this.pos;
    const length = this.uint32();
    if (this.pos > start + 4 && (this.pos > start + 5 || (this.#source[start + 4] as number) > 0x07)) {
      throw new Error("a length is over 2 GiB");
    }
    return length;
  }

  #advance(bytes: number): void {
    const end = this.pos + bytes;
    if (end > this.len) throw new RangeError("premature EOF");
    this.pos = end;
  }

  /** A view of the next bytes, up to 8, which begins with them. */
  #number(bytes: number): DataView {
    const start = this.pos;
    this.#advance(bytes);
    for (let index = 0; index < bytes; index++) scratch[index] = this.#source[start + index] as number;
    return scratchView;
  }

  /** Reads a varint of up to 64 bits: returns the low 32, keeps the high. */
  #varint64(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte();
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.#high = high >>> 0;
        return low >>> 0;
      }
    }
    throw new Error("invalid varint");
  }

  #pass(wireType: WireType, fieldNumber: number | undefined, depth: number): void {
    switch (wireType) {
      case WireType.Varint:
        this.#varint64();
        return;
      case WireType.Bit64:
        return this.#advance(8);
      case WireType.Bit32:
        return this.#advance(4);
      case WireType.LengthDelimited:
        return this.#advance(this.#length());
      case WireType.StartGroup:
        return this.#passGroup(fieldNumber, depth);
      default:
        throw new Error(`cant skip wire type ${wireType}`);
    }
  }

  #passGroup(fieldNumber: number | undefined, depth: number): void {
    if (depth <= 0) throw new Error("maximum recursion depth reached");
    for (;;) {
      const [number, wireType] = this.tag();
      if (wireType !== WireType.EndGroup) this.#pass(wireType, number, depth - 1);
      else if (fieldNumber === undefined || number === fieldNumber) return;
      else throw new Error("invalid end group tag");
    }
  }
}

/** Reads a varint and returns its low 32 bits. The base class has it as a member of each object, so this one is a function too. */
function readUint32(this: MessageReader): number {
  let byte = this.byte();
  if (byte < 0x80) return byte;
  let value = byte & 0x7f;
  for (let shift = 7; shift < 70; shift += 7) {
    byte = this.byte();
    if (shift < 32) value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value >>> 0;
  }
  throw new Error("invalid varint");
}
