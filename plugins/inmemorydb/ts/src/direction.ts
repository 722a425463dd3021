/** Directions: what the index is made of. See `HnswIndex` in the schema for why their products are exact. */

/** One over the size of a step. */
const STEPS = 2 ** 24;

/** What is added to a double and taken away again rounds it, halves to even. */
const ROUND = 1.5 * 2 ** 52;

/** Returns the direction of a vector of this length, which is not 0. */
export function direction(vector: Float32Array, length: number): Float32Array {
  return vector.map((component) => ((component / length) * STEPS + ROUND - ROUND) / STEPS);
}

/** Says whether two directions are the same. */
export function same(a: Float32Array, b: Float32Array): boolean {
  return a.every((component, at) => component === b[at]);
}
