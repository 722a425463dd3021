/** What a script says, after it was read. Nothing here changes in a conversation. */

import type { Decomposition } from "./decompose.js";

/** The keyword of the rule of last resort. A line cannot say it; a link can. */
export const none = "NONE";

/** A word of a reassembly, or the number of a matched part, counted from 1. */
export type Part = string | number;

/**
 * What to do when a decomposition matches: answer with the parts, go on with the rule of another keyword (`link`, and
 * `pre` after the words were rewritten), or go on with the next keyword of the line.
 */
export type Reassembly =
  | { readonly kind: "say"; readonly parts: readonly Part[] }
  | { readonly kind: "link"; readonly keyword: string }
  | { readonly kind: "pre"; readonly parts: readonly Part[]; readonly keyword: string }
  | { readonly kind: "newkey" };

/** A decomposition and its reassemblies, which a session uses in turn. `index` numbers it within the script. */
export interface Transformation {
  readonly index: number;
  readonly decomposition: Decomposition;
  readonly reassemblies: readonly Reassembly[];
}

/** What is done about a keyword. `link` is followed when no transformation matches. */
export interface Rule {
  readonly keyword: string;
  readonly substitute: string | undefined;
  readonly rank: number;
  readonly transformations: readonly Transformation[];
  readonly link: string | undefined;
}

/** Returns whether the rule's keyword can be the one that is answered. */
export function transforms(rule: Rule): boolean {
  return rule.transformations.length > 0 || rule.link !== undefined;
}

/** How lines with this keyword are remembered: four rules, of which the hash of a line's last word chooses one. */
export interface Memory {
  readonly keyword: string;
  readonly rules: readonly { readonly decomposition: Decomposition; readonly parts: readonly Part[] }[];
}

/** A script of 1966. Make one with `parseScript`. */
export interface Script {
  readonly greeting: string;
  readonly rules: ReadonlyMap<string, Rule>;
  readonly none: Rule;
  readonly memory: Memory | undefined;
  /** How many transformations there are. */
  readonly transformations: number;
}

/** Returns the rule that a link to the keyword leads to, if there is one. */
export function ruleOf(script: Script, keyword: string): Rule | undefined {
  return keyword === none ? script.none : script.rules.get(keyword);
}
