/** The whole report as Markdown. */
import { aimLine, tableMarkdown } from "./format.mjs";

/** Returns a warning when others use the machine as well, else an empty text. */
export function busyness({ cores, loadAverage }) {
  if (loadAverage < cores / 2) return "";
  return `The machine is busy (load average ${loadAverage.toFixed(1)} on ${cores} cores): times are longer than at rest, ratios hold better.`;
}

/** Returns the machine, the aims and all tables. */
export function reportMarkdown({ machine, peers, pace, tables }) {
  const aims = tables.flatMap((table) => table.aims.map((aim) => `- ${table.title}: ${aimLine(aim)}`));
  const versions = Object.entries(peers).map(([name, version]) => `${name} ${version}`);
  return `# Benchmarks

Written by \`npm run bench\`. The contenders of a table take turns, in ${pace.rounds} rounds of ${pace.ms} ms each after one that warms up; given are the median of the rounds and how far they spread (p10 to p90). A ratio is the median of the ratios round by round. **Bold** is anyplug.

Machine: ${machine.cores} cores (${machine.processor}), ${machine.memoryGiB} GiB, ${machine.system}; Node ${machine.node}, Python ${machine.python}, rustc ${machine.rustc}; load average at the start ${machine.loadAverage.toFixed(1)}. ${busyness(machine)}

Peers: ${versions.join(", ")}.

## Aims

${aims.join("\n")}

## Tables

${tables.map(tableMarkdown).join("\n")}`;
}
