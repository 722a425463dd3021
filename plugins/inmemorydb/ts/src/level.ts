/** The levels of new nodes. */

/** Draws levels: each next one with a chance of 1 in `m`. */
export class Levels {
  readonly #bound: number;
  #state = 0;

  /** Begins with the first level of a graph. */
  constructor(m: number) {
    this.#bound = Math.floor(2 ** 32 / m);
  }

  /** Returns the level of the next node. */
  next(): number {
    let level = 0;
    while (this.#random() < this.#bound) level++;
    return level;
  }

  /** splitmix32. */
  #random(): number {
    this.#state = (this.#state + 0x9e37_79b9) | 0;
    let z = Math.imul(this.#state ^ (this.#state >>> 16), 0x85eb_ca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2_ae35);
    return (z ^ (z >>> 16)) >>> 0;
  }
}
