/** Returns double of `value`; imported by the resolver's test under the name `source.js`. */
export function twice(value: number): number {
  return value * 2;
}
