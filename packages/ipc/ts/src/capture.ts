/** Captured output of a child process: lines of text, bounded in length, with the last ones kept for errors. */

/** The longest line that is kept whole, in UTF-16 code units; a longer one is passed on in pieces of this length. */
export const maxLineLength = 8192;

/** How many of the last lines of a stream are attached to an error. */
export const keptLines = 20;

/** Cuts a stream of bytes into lines. A character that is split over two chunks stays whole; bytes that are not UTF-8 become U+FFFD. */
export class LineCapture {
  readonly #onLine: (line: string) => void;
  readonly #decoder = new TextDecoder();
  readonly #last: string[] = [];
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** The last lines, oldest first, at most {@link keptLines}. */
  get last(): readonly string[] {
    return this.#last;
  }

  /** Takes the next bytes of the stream. */
  push(bytes: Uint8Array): void {
    this.#take(this.#decoder.decode(bytes, { stream: true }));
  }

  /** The stream ended: what was not ended by a newline is a line too. */
  end(): void {
    this.#take(this.#decoder.decode());
    if (this.#rest !== "") this.#emit(this.#rest);
    this.#rest = "";
  }

  #take(text: string): void {
    let start = 0;
    for (let newline = text.indexOf("\n"); newline >= 0; newline = text.indexOf("\n", start)) {
      this.#emitLong(this.#rest + text.slice(start, newline), true);
      start = newline + 1;
    }
    this.#emitLong(this.#rest + text.slice(start), false);
  }

  /** Emits `text` in pieces; the last piece stays behind as the start of the next line unless the line is complete. */
  #emitLong(text: string, complete: boolean): void {
    let start = 0;
    while (text.length - start > maxLineLength) {
      let end = start + maxLineLength;
      if (isHighSurrogate(text.charCodeAt(end - 1))) end -= 1;
      this.#emit(text.slice(start, end));
      start = end;
    }
    const piece = text.slice(start);
    this.#rest = complete ? "" : piece;
    if (complete) this.#emit(piece);
  }

  #emit(line: string): void {
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    this.#last.push(text);
    if (this.#last.length > keptLines) this.#last.shift();
    this.#onLine(text);
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
