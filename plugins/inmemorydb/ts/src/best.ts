/** The best of many. */

import type { Stored } from "./entry.js";
import { compareText } from "./order.js";

/** An entry, and how near its vector is. */
export interface Scored {
  readonly score: number;
  readonly stored: Stored;
}

/** More than what is asked for are kept before the others are dropped, so that this is done seldom. */
const SLACK = 1024;

/** Keeps the best `count` of what it is offered, of those with a score that is not below the threshold. */
export class Best {
  readonly #count: number;
  #lowest: number;
  #kept: Scored[] = [];

  constructor(count: number, threshold = Number.NEGATIVE_INFINITY) {
    this.#count = count;
    this.#lowest = threshold;
  }

  /** Takes one into account. */
  offer(score: number, stored: Stored): void {
    if (score < this.#lowest) return;
    this.#kept.push({ score, stored });
    if (this.#kept.length < 2 * this.#count + SLACK) return;
    this.#kept = this.ranked();
    this.#lowest = this.#kept.at(-1)?.score ?? this.#lowest;
  }

  /** Returns the best, in their order: the highest score first, of equal ones the lower key. */
  ranked(): Scored[] {
    const order = (a: Scored, b: Scored) => b.score - a.score || compareText(a.stored.key, b.stored.key);
    return this.#kept.sort(order).slice(0, this.#count);
  }
}
