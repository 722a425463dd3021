/** An action of an agent's plugin, from hosts of each language, beside what agents have today. */

import { firstOf, groupsOf, names, rowsOf } from "./rows.mjs";

const measured = [
  { run: "latency", title: "one after the other", unit: "us", better: "lower" },
  { run: "throughput", title: "64 in flight", unit: "calls/s", better: "higher" },
];

const contenders = {
  typescript: [
    ["agent:ts", "to TypeScript", "ours"],
    ["agent:python", "to Python", "ours"],
    ["agent:rust", "to Rust", "ours"],
    ["agent", "to TypeScript, direct", "ours"],
    ["line", "ElizaOS's line protocol, plain Python loop", "peer"],
    ["mcp", "MCP SDK, a tool, stdio", "peer"],
  ],
  python: [
    ["asyncio-agent:ts", "to TypeScript", "ours"],
    ["asyncio-agent:python", "to Python", "ours"],
    ["asyncio-agent:rust", "to Rust", "ours"],
    ["asyncio-agent", "to Python, direct", "ours"],
    ["asyncio-line", "ElizaOS's line protocol, plain Python loop", "peer"],
    ["mcp", "MCP SDK, a tool, stdio", "peer"],
  ],
  rust: [
    ["agent:ts", "to TypeScript", "ours"],
    ["agent:python", "to Python", "ours"],
    ["agent:rust", "to Rust", "ours"],
    ["agent", "to Rust, direct", "ours"],
    ["line", "ElizaOS's line protocol, plain Python loop", "peer"],
    ["mcp", "MCP SDK, a tool, stdio, from Node", "peer", undefined, "typescript"],
  ],
};

const note =
  "The action looks at a value of the state, and at nothing else; the message has 64 characters. Ours is a stream of what the action says, with its result last; MCP's tool has a text and returns it.";

/** Returns a group for each host's language. */
export function agentGroups() {
  return groupsOf("agents", (name) => `Actions of agents in ${name}`, measured, table);
}

function table(language, { run, title, unit, better }) {
  const rows = rowsOf(contenders[language], language, run);
  return {
    id: `agents.${language}.${run}`,
    title: `${names[language]} host: action of a plugin, ${title}`,
    unit,
    better,
    rows,
    peer: firstOf(rows, "peer"),
    note,
  };
}
