/** TextEncoder and TextDecoder, on the engine's own conversion. */

import { host } from "../host.js";

class Encoder {
  readonly encoding = "utf-8";

  encode(text: unknown = ""): Uint8Array {
    return host.encode(wellFormed(String(text)));
  }

  encodeInto(text: unknown, target: Uint8Array): { read: number; written: number } {
    const all = wellFormed(String(text));
    const bytes = host.encode(all);
    if (bytes.length <= target.length) {
      target.set(bytes);
      return { read: all.length, written: bytes.length };
    }
    // As many whole characters as there is room for.
    let end = target.length;
    while (end > 0 && isContinuation(bytes[end] ?? 0)) end -= 1;
    const written = bytes.subarray(0, end);
    target.set(written);
    return { read: host.decode(written)?.length ?? 0, written: end };
  }
}

class Decoder {
  readonly encoding = "utf-8";
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  /** The beginning of a character whose end has not come. */
  #held: Uint8Array = none;
  #isFirst = true;

  constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
    if (!labels.has(label.trim().toLowerCase())) {
      throw new RangeError(`the encoding ${JSON.stringify(label)} is not there; in a WebAssembly module text is UTF-8`);
    }
    this.fatal = fatal;
    this.ignoreBOM = ignoreBOM;
  }

  decode(input?: ArrayBuffer | ArrayBufferView, { stream = false } = {}): string {
    let bytes = bytesOf(input);
    if (this.#held.length > 0) bytes = joined(this.#held, bytes);
    const end = stream ? completeUntil(bytes) : bytes.length;
    this.#held = stream ? bytes.slice(end) : none;
    const text = this.#text(bytes.subarray(0, end));
    if (end > 0) this.#isFirst = false;
    if (!stream) this.#isFirst = true;
    return text;
  }

  #text(bytes: Uint8Array): string {
    const text = host.decode(bytes);
    if (text === null && this.fatal) throw new TypeError("the bytes are not UTF-8");
    const decoded = text ?? replaced(bytes);
    return this.#isFirst && !this.ignoreBOM && decoded.startsWith("\ufeff") ? decoded.slice(1) : decoded;
  }
}

const none = new Uint8Array(0);
const labels = new Set(["utf-8", "utf8", "unicode-1-1-utf-8"]);

function wellFormed(text: string): string {
  const { isWellFormed, toWellFormed } = text as string & { isWellFormed(): boolean; toWellFormed(): string };
  return isWellFormed.call(text) ? text : toWellFormed.call(text);
}

function bytesOf(input: ArrayBuffer | ArrayBufferView | undefined): Uint8Array {
  if (input === undefined) return none;
  if (input instanceof Uint8Array) return input;
  return ArrayBuffer.isView(input)
    ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
    : new Uint8Array(input);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** How many bytes a character has that begins so. */
function sizeOf(byte: number): number {
  if (byte >= 0xf0) return 4;
  if (byte >= 0xe0) return 3;
  return byte >= 0xc2 ? 2 : 1;
}

/** Where a character begins at the end whose bytes are not all there. */
function completeUntil(bytes: Uint8Array): number {
  for (let at = bytes.length - 1; at >= 0 && at >= bytes.length - 3; at--) {
    const byte = bytes[at] ?? 0;
    if (isContinuation(byte)) continue;
    return at + sizeOf(byte) > bytes.length ? at : bytes.length;
  }
  return bytes.length;
}

/** The text with U+FFFD for what is not UTF-8, one for each longest beginning of a character, as the standard says. */
function replaced(bytes: Uint8Array): string {
  let text = "";
  let from = 0;
  while (from < bytes.length) {
    const size = sizeOf(bytes[from] ?? 0);
    let end = from + 1;
    while (end < from + size && end < bytes.length && canFollow(bytes, from, end)) end += 1;
    const character = end === from + size ? host.decode(bytes.subarray(from, end)) : null;
    text += character ?? "\ufffd";
    from = end;
  }
  return text;
}

function canFollow(bytes: Uint8Array, from: number, at: number): boolean {
  const first = bytes[from] ?? 0;
  const byte = bytes[at] ?? 0;
  if (!isContinuation(byte) || first > 0xf4) return false;
  if (at > from + 1) return true;
  if (first === 0xe0) return byte >= 0xa0;
  if (first === 0xed) return byte < 0xa0;
  if (first === 0xf0) return byte >= 0x90;
  return first !== 0xf4 || byte < 0x90;
}

export { Decoder as TextDecoder, Encoder as TextEncoder };
