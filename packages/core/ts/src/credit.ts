/** Flow control by bytes, for one direction of one call. */

/** The most credit that a direction can have. */
export const maxCreditBytes = 0x7fff_ffff;

/** What a sender may still send. */
export class SendCredit {
  #bytes: number;

  constructor(initialBytes: number) {
    this.#bytes = initialBytes;
  }

  /** Bytes that may be sent now; a message of any size may be sent while this is over 0. */
  get available(): number {
    return Math.max(0, this.#bytes);
  }

  /** A message of that size was sent. */
  spend(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** The receiver granted more. Returns whether that made the direction writable, or undefined when it is more than a direction can have. */
  grant(bytes: number): boolean | undefined {
    const before = this.#bytes;
    if (before + bytes > maxCreditBytes) return undefined;
    this.#bytes = before + bytes;
    return before <= 0 && this.#bytes > 0;
  }
}

/** What a receiver has read and not yet granted again. */
export class ReceiveCredit {
  readonly #threshold: number;
  #consumed = 0;

  constructor(initialBytes: number) {
    this.#threshold = initialBytes / 2;
  }

  /** The application has read that much. Returns what is to be granted now: all of it, from half of the initial credit on, otherwise 0. */
  consume(bytes: number): number {
    this.#consumed += bytes;
    if (this.#consumed < this.#threshold) return 0;
    const granted = this.#consumed;
    this.#consumed = 0;
    return granted;
  }
}
