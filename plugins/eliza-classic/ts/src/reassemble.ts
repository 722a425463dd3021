/** Reassemblies: the words of an answer, some of them from the line. */

import type { Part } from "./script.js";

/** Returns the words that the parts stand for, given the line's words and the bounds that `decompose` found. */
export function reassemble(parts: readonly Part[], words: readonly string[], bounds: readonly number[]): string[] {
  const result: string[] = [];
  for (const part of parts) {
    if (typeof part === "string") {
      result.push(part);
      continue;
    }
    // One by one: push(...words) would put a long line on the stack.
    for (const word of words.slice(bounds[part - 1], bounds[part])) result.push(word);
  }
  return result;
}
