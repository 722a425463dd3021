/** One timer for all calls: a timer of its own for each would cost more than the rest of a small call. */

/** Something that expires. The members belong to {@link Deadlines}. */
export interface Expiring {
  /** Called once, when the time has passed. */
  expire(): void;
  bucket: Bucket | undefined;
  before: Expiring | undefined;
  after: Expiring | undefined;
}

/** What expires in one tick: a doubly linked list, so that a call that ends is taken out at once. */
export interface Bucket {
  first: Expiring | undefined;
}

/** Length of a tick, in milliseconds. Nothing expires early, and up to this much late. */
const tickMs = 4;
/** The longest delay that timers take, in milliseconds. */
const maxDelayMs = 0x7fff_ffff;

/** The deadlines of any number of calls. */
export class Deadlines {
  readonly #buckets = new Map<number, Bucket>();
  #count = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerTick = Number.POSITIVE_INFINITY;

  /** Calls `expire` when `performance.now()` has reached `at`. */
  add(entry: Expiring, at: number): void {
    const tick = Math.ceil(at / tickMs);
    let bucket = this.#buckets.get(tick);
    if (bucket === undefined) {
      bucket = { first: undefined };
      this.#buckets.set(tick, bucket);
    }
    entry.bucket = bucket;
    entry.before = undefined;
    entry.after = bucket.first;
    if (bucket.first !== undefined) bucket.first.before = entry;
    bucket.first = entry;
    this.#count += 1;
    if (tick < this.#timerTick) this.#arm(tick);
    // A pending call keeps the process alive, a timer that was left behind by those that ended does not.
    if (this.#count === 1) keepAlive(this.#timer, true);
  }

  /** The entry has ended in time. */
  remove(entry: Expiring): void {
    const { bucket, before, after } = entry;
    if (bucket === undefined) return;
    if (before === undefined) bucket.first = after;
    else before.after = after;
    if (after !== undefined) after.before = before;
    entry.bucket = undefined;
    entry.before = undefined;
    entry.after = undefined;
    this.#count -= 1;
    if (this.#count === 0) keepAlive(this.#timer, false);
  }

  #arm(tick: number): void {
    clearTimeout(this.#timer);
    this.#timerTick = tick;
    const delay = Math.min(maxDelayMs, Math.max(0, Math.ceil(tick * tickMs - performance.now())));
    this.#timer = setTimeout(() => this.#fire(), delay);
    if (this.#count === 0) keepAlive(this.#timer, false);
  }

  #fire(): void {
    this.#timer = undefined;
    this.#timerTick = Number.POSITIVE_INFINITY;
    const now = performance.now() / tickMs;
    let next = Number.POSITIVE_INFINITY;
    for (const [tick, bucket] of [...this.#buckets]) {
      if (tick <= now) this.#expire(tick, bucket);
      else if (bucket.first === undefined) this.#buckets.delete(tick);
      else if (tick < next) next = tick;
    }
    if (next < this.#timerTick) this.#arm(next);
  }

  #expire(tick: number, bucket: Bucket): void {
    for (let entry = bucket.first; entry !== undefined; entry = bucket.first) {
      this.remove(entry);
      entry.expire();
    }
    this.#buckets.delete(tick);
  }
}

/** Whether a timer keeps the process alive; browsers have no such thing. */
function keepAlive(timer: unknown, alive: boolean): void {
  const { ref, unref } = (timer ?? {}) as { ref?: () => void; unref?: () => void };
  if (alive) ref?.call(timer);
  else unref?.call(timer);
}

/** The deadlines of this process. */
export const deadlines: Deadlines = new Deadlines();
