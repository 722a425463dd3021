/** Calls to a plugin in the same process, beside the plain calls of the language. */

import { firstOf, groupsOf, names, rowsOf } from "./rows.mjs";

const measured = [
  { run: "latency", title: "one after the other", unit: "us", better: "lower" },
  { run: "throughput", title: "64 in flight", unit: "calls/s", better: "higher" },
];

const contenders = {
  typescript: [
    ["direct", "anyplug", "ours"],
    ["plain", "async function, request and response made", "limit"],
  ],
  python: [
    ["asyncio-direct:coroutine", "anyplug, asyncio", "ours"],
    ["asyncio-direct", "anyplug, asyncio, handler that may block", "ours"],
    ["asyncio-plain", "async function, request and response made", "limit"],
    ["direct", "anyplug, threads", "ours"],
    ["plain", "function, request and response made", "limit"],
  ],
  rust: [
    ["direct", "anyplug", "ours"],
    ["plain", "async fn behind a trait object", "limit"],
  ],
};

const aims = {
  typescript: [{ row: "direct", against: "plain", factor: 2, text: "within 2x of a plain async call" }],
  python: [
    { row: "asyncio-direct:coroutine", against: "asyncio-plain", factor: 2, text: "within 2x of a plain async call" },
    { row: "direct", against: "plain", factor: 2, text: "threads: within 2x of a plain call" },
  ],
  rust: [{ row: "direct", against: "plain", factor: 2, text: "within 2x of a plain async call" }],
};

/** Returns a group for each language. */
export function directGroups() {
  return groupsOf("direct", (name) => `Direct calls in ${name}`, measured, table);
}

function table(language, { run, title, unit, better }) {
  const rows = rowsOf(contenders[language], language, run);
  return {
    id: `direct.${language}.${run}`,
    title: `${names[language]}, direct: calls of 64 B, ${title}`,
    unit,
    better,
    rows,
    limit: firstOf(rows, "limit"),
    aims: run === "latency" ? aims[language] : [],
  };
}
