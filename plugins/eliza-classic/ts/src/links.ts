/** The check that links lead somewhere. */

import { matchesEverything } from "./decompose.js";
import { type Rule, ruleOf, type Script } from "./script.js";

/**
 * Returns the first keyword whose links certainly go round for ever, if there is one.
 *
 * Certain is what does not depend on the line: rules that consist of a link, or whose first decomposition matches
 * everything and leads to links only. Other rounds may end, and are bounded when a line is answered.
 */
export function endlessLink(script: Script): string | undefined {
  const rules = [...script.rules.values(), script.none];
  const sources = new Map<string, string[]>();
  const ending: string[] = [];
  for (const rule of rules) {
    const targets = certainTargets(rule);
    if (targets?.every((target) => ruleOf(script, target) !== undefined)) {
      for (const target of targets) {
        const known = sources.get(target);
        if (known === undefined) sources.set(target, [rule.keyword]);
        else known.push(rule.keyword);
      }
    } else {
      ending.push(rule.keyword);
    }
  }
  const ends = new Set(ending);
  // Grows while it is read.
  for (const keyword of ending) {
    for (const source of sources.get(keyword) ?? []) {
      if (ends.has(source)) continue;
      ends.add(source);
      ending.push(source);
    }
  }
  return rules.find((rule) => !ends.has(rule.keyword))?.keyword;
}

/** Returns where a rule leads whatever the line is, or undefined if it can do anything else. */
function certainTargets(rule: Rule): string[] | undefined {
  const first = rule.transformations[0];
  if (first === undefined) return rule.link === undefined ? undefined : [rule.link];
  if (!matchesEverything(first.decomposition)) return undefined;
  const targets: string[] = [];
  for (const reassembly of first.reassemblies) {
    if (reassembly.kind !== "link" && reassembly.kind !== "pre") return undefined;
    targets.push(reassembly.keyword);
  }
  return targets;
}
