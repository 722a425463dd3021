/** Messages of a stream of bytes: one in a line, or behind a `Content-Length` header. */

import { AnyplugError, Code } from "@anyplug/core";

/** How messages are told apart: each is a line, or stands behind a header, as in LSP. */
export type Framing = "lines" | "headers";

const newline = 0x0a;

/**
 * Cuts bytes into texts, however they are chunked: a character that comes in two pieces is one. Bytes that are no UTF-8 become U+FFFD. Empty lines are left out. A line
 * `Content-Length: N` begins a header; behind the empty line at its end come N bytes.
 */
export class MessageReader {
  readonly #maxBytes: number;
  readonly #onMessage: (text: string, framing: Framing) => void;
  readonly #decoder = new TextDecoder();
  /** The pieces of a line or body that has not ended. */
  #pieces: Uint8Array[] = [];
  #length = 0;
  /** What the header says of the body; undefined outside of a header. */
  #announced: number | undefined;
  /** Bytes of the body that are still to come. */
  #missing = 0;
  /** The message is too long; what comes of it is dropped. */
  #skips = false;
  #isTooLong = false;

  /** A message of more than `maxBytes` is refused. */
  constructor(maxBytes: number, onMessage: (text: string, framing: Framing) => void) {
    this.#maxBytes = maxBytes;
    this.#onMessage = onMessage;
  }

  /**
   * Takes the next bytes; they are copied where they are kept.
   *
   * @throws AnyplugError RESOURCE_EXHAUSTED when a message was too long; it is left out, and those after it are given.
   */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      at = this.#missing > 0 ? this.#readBody(bytes, at) : this.#readLine(bytes, at);
    }
    if (!this.#isTooLong) return;
    this.#isTooLong = false;
    throw new AnyplugError(Code.ResourceExhausted, `a message of over ${this.#maxBytes} bytes; raise maxMessageBytes`);
  }

  /** The stream has ended: what is there of a line is one. */
  end(): void {
    const text = this.#take();
    if (this.#announced === undefined && text !== "") this.#onMessage(text, "lines");
  }

  #readBody(bytes: Uint8Array, at: number): number {
    const piece = bytes.subarray(at, at + this.#missing);
    this.#missing -= piece.length;
    this.#keep(piece, this.#missing > 0);
    if (this.#missing === 0) {
      const text = this.#take();
      if (text !== "") this.#onMessage(text, "headers");
    }
    return at + piece.length;
  }

  #readLine(bytes: Uint8Array, at: number): number {
    const end = bytes.indexOf(newline, at);
    this.#keep(bytes.subarray(at, end < 0 ? undefined : end), end < 0);
    if (end < 0) return bytes.length;
    this.#line(this.#take());
    return end + 1;
  }

  #line(text: string): void {
    const [, digits] = /^content-length:\s*(\d{1,15})$/i.exec(text) ?? [];
    if (digits !== undefined) this.#announced = Number(digits);
    else if (this.#announced === undefined) {
      if (text !== "") this.#onMessage(text, "lines");
    } else if (text === "") {
      this.#missing = this.#announced;
      this.#announced = undefined;
    }
  }

  #keep(piece: Uint8Array, copied: boolean): void {
    if (this.#skips) return;
    this.#length += piece.length;
    if (this.#length > this.#maxBytes) {
      this.#pieces = [];
      this.#skips = true;
      this.#isTooLong = true;
    } else this.#pieces.push(copied ? piece.slice() : piece);
  }

  /** What was kept, as text without blanks around it. */
  #take(): string {
    const pieces = this.#pieces;
    const [first] = pieces;
    const bytes = pieces.length === 1 && first !== undefined ? first : joined(pieces, this.#skips ? 0 : this.#length);
    this.#pieces = [];
    this.#length = 0;
    this.#skips = false;
    return this.#decoder.decode(bytes).trim();
  }
}

/** Returns a message as bytes, framed. */
export function framed(text: string, framing: Framing): Uint8Array {
  const encoder = new TextEncoder();
  if (framing === "lines") return encoder.encode(`${text}\n`);
  const body = encoder.encode(text);
  const header = encoder.encode(`Content-Length: ${body.length}\r\n\r\n`);
  return joined([header, body], header.length + body.length);
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
