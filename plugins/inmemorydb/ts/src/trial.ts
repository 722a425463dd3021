/** How many candidates a search by the index must keep, by the rule of `HnswIndex` in the schema. */

/** With fewer nodes an index is not used. */
export const FEWEST_NODES = 1000;

const SAMPLES = 32;
const NEAREST = 10;
const MOST_CANDIDATES = 1000;

/** What is tried. */
export interface Tried {
  /** Returns the nodes that are nearest to one, itself left out, by looking at all. */
  nearest(node: number, count: number): number[];
  /** Returns those that are found with this many candidates, as if the node were not there: its own neighbours would lead to them. */
  found(node: number, count: number, candidates: number): number[];
}

/** Returns how many candidates are enough, `candidates` or more; undefined if no number is. */
export function enough(tried: Tried, nodes: readonly number[], candidates: number): number | undefined {
  const samples = Array.from(
    { length: SAMPLES },
    (_, at) => nodes[Math.floor((at * nodes.length) / SAMPLES)] as number,
  );
  const sought = samples.map((node) => ({ node, nearest: new Set(tried.nearest(node, NEAREST)) }));
  for (let kept = candidates; kept <= Math.max(candidates, MOST_CANDIDATES); kept *= 2) {
    let hits = 0;
    for (const { node, nearest } of sought) {
      for (const one of tried.found(node, NEAREST, kept)) if (nearest.has(one)) hits++;
    }
    if (hits * 50 >= SAMPLES * NEAREST * 49) return kept;
  }
  return undefined;
}
