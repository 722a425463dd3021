/** The binary format of WebAssembly, as far as a module is taken apart and put together again. */

/** One section of a module. */
export interface Section {
  readonly id: number;
  readonly body: Uint8Array;
}

/** Reads from the beginning of `bytes` on. */
export class Reader {
  readonly bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw new Error("the module ends too early");
    this.at += 1;
    return byte;
  }

  /** An integer in LEB128: of its sign only the length matters here. */
  integer(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  take(length: number): Uint8Array {
    const from = this.at;
    this.at += length;
    return this.bytes.subarray(from, this.at);
  }

  name(): string {
    return new TextDecoder().decode(this.take(this.integer()));
  }
}

/** Returns the sections of a module, in order. */
export function sectionsOf(module: Uint8Array): Section[] {
  const reader = new Reader(module);
  reader.take(8);
  const sections: Section[] = [];
  while (!reader.isAtEnd) sections.push({ id: reader.byte(), body: reader.take(reader.integer()) });
  return sections;
}

/** An unsigned integer in LEB128. */
export function encodeUnsigned(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** A signed integer in LEB128. */
export function encodeSigned(value: bigint): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; ) {
    const byte = Number(rest & 0x7fn);
    rest >>= 7n;
    const isLast = (rest === 0n && (byte & 0x40) === 0) || (rest === -1n && (byte & 0x40) !== 0);
    bytes.push(isLast ? byte : byte | 0x80);
    if (isLast) return Uint8Array.from(bytes);
  }
}

/** A text with its length. */
export function encodeName(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name);
  return joined([encodeUnsigned(bytes.length), bytes]);
}

/** Items with their count. */
export function encodeVector(items: readonly Uint8Array[]): Uint8Array {
  return joined([encodeUnsigned(items.length), ...items]);
}

/** The pieces as one. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
