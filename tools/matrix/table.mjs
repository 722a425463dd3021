import { inWords, tally } from "./results.mjs";

const marks = { passed: "+", failed: "X", "not applicable": "-", "not run": "?" };
const short = { typescript: "ts", python: "py", rust: "rs" };

/**
 * Returns the results of one host as text: a line for each behaviour, a column for each cell.
 *
 * @param {string} host its language
 * @param {{ plugin: string, transport: string, behaviour: string, result: string }[]} results those of this host
 */
export function formatHost(host, results) {
  const unique = (values) => [...new Set(values)];
  const behaviours = unique(results.map(({ behaviour }) => behaviour));
  const transports = unique(results.map(({ transport }) => transport));
  const plugins = unique(results.map(({ plugin }) => plugin));
  const width = Math.max(...behaviours.map((name) => name.length), 24) + 2;
  const line = (name, cell, end) => {
    const groups = transports.map((transport) => plugins.map((plugin) => cell(transport, plugin).padStart(3)).join(""));
    return `${name.padEnd(width)}${groups.join("  ")}  ${end}`.trimEnd();
  };
  const of = (filter) => results.filter(filter);
  const rows = behaviours.map((behaviour) => {
    const own = of((one) => one.behaviour === behaviour);
    const find = (transport, plugin) => own.find((one) => one.transport === transport && one.plugin === plugin);
    return line(behaviour, (transport, plugin) => marks[find(transport, plugin).result], counted(own));
  });
  const heads = transports.map((name) => name.padStart(3 * plugins.length));
  const passed = (transport, plugin) =>
    String(tally(of((one) => one.transport === transport && one.plugin === plugin)).passed);
  return [
    `host ${host}`.padEnd(width) + heads.join("  "),
    line("", (_, plugin) => short[plugin], "passed"),
    ...rows,
    line("passed", passed, counted(results)),
  ].join("\n");
}

/** Of how many that apply. */
function counted(results) {
  const { passed, failed, "not run": notRun } = tally(results);
  return `${passed}/${passed + failed + notRun}`;
}

/** Returns all there is to say beside the tables: what the marks mean, why what does not apply does not, what failed, the total. */
export function formatEnd(results) {
  const reasons = new Map();
  for (const { result, why } of results) {
    if (result === "not applicable") reasons.set(why, (reasons.get(why) ?? 0) + 1);
  }
  const bad = results.filter(({ result }) => result === "failed" || result === "not run");
  return [
    Object.entries(marks)
      .map(([result, mark]) => `${mark} ${result}`)
      .join("   "),
    ...[...reasons].map(([why, count]) => `${String(count).padStart(5)} not applicable: ${why}`),
    ...bad.map(({ host, plugin, transport, behaviour, result }) => {
      return `${result.toUpperCase()}: ${behaviour} with a host in ${host} and a plugin in ${plugin} over ${transport}`;
    }),
    "",
    inWords(tally(results)),
  ].join("\n");
}
