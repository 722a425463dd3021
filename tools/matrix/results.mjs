/**
 * Puts what the suites reported beside what was asked for, so that nothing is missing silently: a behaviour that a suite did not report is "not run", one that it calls not applicable without the list saying so is too.
 *
 * @param {{ host: string, plugin: string, transport: string, has: string[], why?: string }[]} cells those asked for
 * @param {{ name: string, needs?: string, why?: string }[]} behaviours the list
 * @param {{ host: string, plugin: string, transport: string, behaviour: string, result: string, ms: number }[]} reported what the suites said; of two results for one behaviour in one cell, the worse counts
 * @returns {{ host: string, plugin: string, transport: string, behaviour: string, result: "passed" | "failed" | "not applicable" | "not run", ms: number, why?: string }[]}
 */
export function judge(cells, behaviours, reported) {
  const said = new Map();
  for (const one of reported) {
    const key = keyOf(one, one.behaviour);
    if (said.get(key)?.result !== "failed") said.set(key, one);
  }
  return cells.flatMap((cell) =>
    behaviours.map(({ name: behaviour, needs, why }) => {
      const { host, plugin, transport } = cell;
      const place = { host, plugin, transport, behaviour };
      if (cell.why !== undefined) return { ...place, result: "not applicable", ms: 0, why: cell.why };
      const { result, ms = 0 } = said.get(keyOf(cell, behaviour)) ?? { result: "not run" };
      const applies = needs === undefined || cell.has.includes(needs);
      if (!applies && result === "not applicable") return { ...place, result, ms, why };
      const isKnown = applies && (result === "passed" || result === "failed");
      return { ...place, result: isKnown ? result : "not run", ms };
    }),
  );
}

const keyOf = ({ host, plugin, transport }, behaviour) => [host, plugin, transport, behaviour].join(" ");

/** How many there are of each result. */
export function tally(results) {
  const counts = { passed: 0, failed: 0, "not applicable": 0, "not run": 0 };
  for (const { result } of results) counts[result] += 1;
  return counts;
}

/** The counts as words, without those that are none. */
export function inWords(counts) {
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  return parts.map(([name, count]) => `${count} ${name}`).join(", ") || "nothing";
}
