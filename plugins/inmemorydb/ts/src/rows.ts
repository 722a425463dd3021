/** Vectors of one length, one after the other in memory. */

const FIRST_CAPACITY = 64;

/** Rows of floats, by their numbers. */
export class Rows {
  readonly dimensions: number;
  #floats: Float32Array;

  constructor(dimensions: number) {
    this.dimensions = dimensions;
    this.#floats = new Float32Array(FIRST_CAPACITY * dimensions);
  }

  /** All of them; what is beyond the last row that was set is no row. */
  get floats(): Float32Array {
    return this.#floats;
  }

  /** Returns a row, as a view. */
  get(row: number): Float32Array {
    return this.#floats.subarray(row * this.dimensions, (row + 1) * this.dimensions);
  }

  /** Sets a row; makes room for it where it is the next one. */
  set(row: number, floats: Float32Array): void {
    if ((row + 1) * this.dimensions > this.#floats.length) {
      const larger = new Float32Array(2 * this.#floats.length);
      larger.set(this.#floats);
      this.#floats = larger;
    }
    this.#floats.set(floats, row * this.dimensions);
  }
}
