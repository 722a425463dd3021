/**
 * Decompositions: patterns over words, and how a line's words fall into their parts.
 *
 * Leftmost and shortest for each `0`, from the left, is what taking the first place of each run of parts between two
 * zeros gives; so nothing is tried twice, and a match takes time in proportion to the words.
 */

/** This word, one of these words, exactly so many words, or any number of words if it is 0. */
export type Element = string | ReadonlySet<string> | number;

/** The parts between two zeros: together they take a fixed number of words. */
interface Run {
  readonly length: number;
  readonly partLengths: readonly number[];
  readonly tests: readonly Test[];
}

/** The word, or the words one of which, stands at an offset. */
interface Test {
  readonly offset: number;
  readonly accepted: string | ReadonlySet<string>;
}

/** A pattern, cut at its zeros. Without a zero there is a first run only. */
export interface Decomposition {
  readonly parts: number;
  /** The fewest words that can match. */
  readonly shortest: number;
  readonly first: Run;
  readonly middle: readonly Run[];
  readonly last: Run | undefined;
}

/** Returns the decomposition that consists of these elements. */
export function decompositionOf(elements: readonly Element[]): Decomposition {
  const runs: Run[] = [];
  let partLengths: number[] = [];
  let tests: Test[] = [];
  let length = 0;
  // The last run ends as if a zero followed.
  for (const element of [...elements, 0]) {
    if (element === 0) {
      runs.push({ length, partLengths, tests });
      partLengths = [];
      tests = [];
      length = 0;
      continue;
    }
    if (typeof element !== "number") tests.push({ offset: length, accepted: element });
    const partLength = typeof element === "number" ? element : 1;
    partLengths.push(partLength);
    length += partLength;
  }
  const shortest = runs.reduce((sum, run) => sum + run.length, 0);
  const first = runs[0] ?? { length: 0, partLengths: [], tests: [] };
  return { parts: elements.length, shortest, first, middle: runs.slice(1, -1), last: runs.slice(1).at(-1) };
}

/** Returns whether there is nothing but zeros in the decomposition. */
export function matchesEverything(decomposition: Decomposition): boolean {
  return decomposition.last !== undefined && decomposition.shortest === 0;
}

/**
 * Returns where the parts begin and end, or undefined if the words do not match. Part n, counted from 1, is
 * `words.slice(bounds[n - 1], bounds[n])`.
 */
export function decompose(decomposition: Decomposition, words: readonly string[]): number[] | undefined {
  const { shortest, first, middle, last } = decomposition;
  const room = words.length - shortest;
  if (room < 0 || (room > 0 && last === undefined) || !fits(first, words, 0)) return undefined;
  const bounds = [0];
  let at = place(first, 0, bounds);
  for (const run of middle) {
    const start = find(run, words, at);
    if (start === undefined) return undefined;
    bounds.push(start);
    at = place(run, start, bounds);
  }
  if (last !== undefined) {
    const start = words.length - last.length;
    if (start < at || !fits(last, words, start)) return undefined;
    bounds.push(start);
    place(last, start, bounds);
  }
  return bounds;
}

function fits(run: Run, words: readonly string[], start: number): boolean {
  for (const { offset, accepted } of run.tests) {
    const word = words[start + offset];
    if (word === undefined || !(typeof accepted === "string" ? accepted === word : accepted.has(word))) return false;
  }
  return true;
}

/** Returns the first place from `start` on where the run fits. */
function find(run: Run, words: readonly string[], start: number): number | undefined {
  const last = words.length - run.length;
  for (let at = start; at <= last; at += 1) {
    if (fits(run, words, at)) return at;
  }
  return undefined;
}

/** Adds where the parts of a run end, and returns where the last one does. */
function place(run: Run, start: number, bounds: number[]): number {
  let at = start;
  for (const length of run.partLengths) {
    at += length;
    bounds.push(at);
  }
  return at;
}
