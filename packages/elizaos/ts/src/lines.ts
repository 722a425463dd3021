/** Lines of a stream of bytes. */

import { AnyplugError, Code } from "@anyplug/core";

const newline = 0x0a;

/**
 * Cuts bytes into lines of text, however they are chunked: a character that comes in two pieces is one. Bytes that are no UTF-8 become U+FFFD. Empty lines are left out.
 */
export class LineReader {
  readonly #maxBytes: number;
  readonly #onLine: (line: string) => void;
  readonly #decoder = new TextDecoder();
  /** The pieces of a line that has not ended. */
  #pieces: Uint8Array[] = [];
  #length = 0;
  /** The line is too long; what comes of it is dropped. */
  #skips = false;

  /** A line of more than `maxBytes` is refused. */
  constructor(maxBytes: number, onLine: (line: string) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  /**
   * Takes the next bytes; they are copied where they are kept.
   *
   * @throws AnyplugError RESOURCE_EXHAUSTED when a line is too long, once for each; it is left out, and the lines after it are given.
   */
  push(bytes: Uint8Array): void {
    let start = 0;
    let isTooLong = false;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      isTooLong = this.#keep(bytes.subarray(start, end), false) || isTooLong;
      this.#give();
      start = end + 1;
    }
    if (start < bytes.length) isTooLong = this.#keep(bytes.subarray(start), true) || isTooLong;
    if (isTooLong) throw new AnyplugError(Code.ResourceExhausted, `a line of over ${this.#maxBytes} bytes`);
  }

  /** The stream has ended: what is there of a line is one. */
  end(): void {
    this.#give();
  }

  /** True when this made the line too long. */
  #keep(piece: Uint8Array, copied: boolean): boolean {
    if (this.#skips) return false;
    this.#length += piece.length;
    if (this.#length > this.#maxBytes) {
      this.#pieces = [];
      this.#skips = true;
      return true;
    }
    this.#pieces.push(copied ? piece.slice() : piece);
    return false;
  }

  #give(): void {
    const pieces = this.#pieces;
    const length = this.#length;
    this.#pieces = [];
    this.#length = 0;
    this.#skips = false;
    const [first] = pieces;
    if (first === undefined) return;
    const line = pieces.length === 1 ? first : joined(pieces, length);
    const text = this.#decoder.decode(line).trim();
    if (text !== "") this.#onLine(text);
  }
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
