/** The cosine, counted as the schema says, so that every language gets the same bits. */

const LANES = 8;

/** Returns the sum of the products of `b` and as many numbers of `rows`, from `start` on, in doubles, in the order of the schema. */
export function dot(rows: Float32Array, start: number, b: Float32Array): number {
  let l0 = 0;
  let l1 = 0;
  let l2 = 0;
  let l3 = 0;
  let l4 = 0;
  let l5 = 0;
  let l6 = 0;
  let l7 = 0;
  const rest = b.length % LANES;
  const whole = b.length - rest;
  let at = start;
  for (let i = 0; i < whole; i += LANES, at += LANES) {
    l0 += (rows[at] as number) * (b[i] as number);
    l1 += (rows[at + 1] as number) * (b[i + 1] as number);
    l2 += (rows[at + 2] as number) * (b[i + 2] as number);
    l3 += (rows[at + 3] as number) * (b[i + 3] as number);
    l4 += (rows[at + 4] as number) * (b[i + 4] as number);
    l5 += (rows[at + 5] as number) * (b[i + 5] as number);
    l6 += (rows[at + 6] as number) * (b[i + 6] as number);
    l7 += (rows[at + 7] as number) * (b[i + 7] as number);
  }
  if (rest > 0) l0 += (rows[at] as number) * (b[whole] as number);
  if (rest > 1) l1 += (rows[at + 1] as number) * (b[whole + 1] as number);
  if (rest > 2) l2 += (rows[at + 2] as number) * (b[whole + 2] as number);
  if (rest > 3) l3 += (rows[at + 3] as number) * (b[whole + 3] as number);
  if (rest > 4) l4 += (rows[at + 4] as number) * (b[whole + 4] as number);
  if (rest > 5) l5 += (rows[at + 5] as number) * (b[whole + 5] as number);
  if (rest > 6) l6 += (rows[at + 6] as number) * (b[whole + 6] as number);
  return l0 + l1 + (l2 + l3) + (l4 + l5 + (l6 + l7));
}

/** Returns the square of the length of a vector. */
export function square(vector: Float32Array): number {
  return dot(vector, 0, vector);
}

/** Returns the cosine that the product of two vectors with these squares means, -1 to 1; 0 if one of them has no direction. */
export function cosine(product: number, squareA: number, squareB: number): number {
  if (squareA === 0 || squareB === 0) return 0;
  return Math.max(-1, Math.min(1, product / Math.sqrt(squareA * squareB)));
}
