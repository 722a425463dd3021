/** A short busy wait: waking a halted core costs more than a small call, so the event loop polls for a moment before it blocks. */

/** How long a wait polls before the loop may block, in microseconds. */
const spinMicroseconds = 20;

const firstSkip = 8;
const lastSkip = 1024;

/**
 * After a write, keeps the event loop polling until something is read, for up to 20 us, by arming `setImmediate` again and again.
 *
 * A wait in which nothing came is a miss. One is forgiven: something else had the core for a moment. After the second in a row the next 8 writes do not spin, then 16, up
 * to 1,024, so that a peer that is slow, or that needs this very core, costs next to nothing. A hit sets that back. Without writes nothing is armed and no time is used.
 */
export class Spin {
  readonly #now: () => number;
  readonly #later: (callback: () => void) => void;
  readonly #tick = () => this.#turn();
  #armed = false;
  #waiting = false;
  #since = Number.NaN;
  #skip = 0;
  /** How many writes the next miss costs; none when it is forgiven. */
  #nextSkip = 0;

  /** `now` is a clock in microseconds and `later` runs a callback in the loop's next turn; a test gives its own. */
  constructor(now = () => performance.now() * 1000, later: (callback: () => void) => void = setImmediate) {
    this.#now = now;
    this.#later = later;
  }

  /** Something was written, so an answer or the next request is likely to come soon. */
  wrote(): void {
    if (this.#skip > 0) {
      this.#skip -= 1;
      return;
    }
    this.#waiting = true;
    // The next turn starts the clock: a write that wakes a halted peer may take longer than the whole wait.
    this.#since = Number.NaN;
    if (this.#armed) return;
    this.#armed = true;
    this.#later(this.#tick);
  }

  /** Something was read: the wait is over. */
  read(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#nextSkip = 0;
  }

  #turn(): void {
    if (this.#waiting && !Number.isNaN(this.#since)) {
      if (this.#now() - this.#since >= spinMicroseconds) {
        this.#waiting = false;
        this.#skip = this.#nextSkip;
        this.#nextSkip = Math.min(lastSkip, Math.max(firstSkip, this.#nextSkip * 2));
      }
    } else {
      this.#since = this.#now();
    }
    this.#armed = this.#waiting;
    if (this.#armed) this.#later(this.#tick);
  }
}
