/** Reads the binary format of WebAssembly, as far as numbers, names and ranges go. */

/** A position in some bytes. What it reads past the end throws. */
export class BinaryReader {
  position: number;
  readonly end: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, from = 0, to = bytes.length) {
    this.#bytes = bytes;
    this.position = from;
    this.end = to;
  }

  get isAtEnd(): boolean {
    return this.position >= this.end;
  }

  /** Bytes up to the end. */
  get left(): number {
    return this.end - this.position;
  }

  /** @throws RangeError past the end. */
  byte(): number {
    const value = this.position < this.end ? this.#bytes[this.position] : undefined;
    if (value === undefined) throw new RangeError(`it ends at offset ${this.end}, in the middle of something`);
    this.position += 1;
    return value;
  }

  /** An unsigned LEB128 of up to 32 bits; one that is longer, of a 64-bit memory, is read as the largest number. */
  unsigned(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      if (shift < 28) value |= (byte & 0x7f) << shift;
      else if (shift === 28 && byte < 0x10) value = (value | (byte << shift)) >>> 0;
      else if ((byte & 0x7f) !== 0) value = 0xffff_ffff;
      if (byte < 0x80) return value;
      if (shift > 63) throw new RangeError(`a number at offset ${this.position} is too long`);
    }
  }

  /** A range of that many bytes, which shares their memory. */
  take(length: number): Uint8Array {
    if (length > this.end - this.position) {
      throw new RangeError(`${length} bytes are announced at offset ${this.position}, and it ends at ${this.end}`);
    }
    const bytes = this.#bytes.subarray(this.position, this.position + length);
    this.position += length;
    return bytes;
  }

  /** A name in UTF-8. */
  name(): string {
    return text.decode(this.take(this.unsigned()));
  }
}

const text = new TextDecoder();
