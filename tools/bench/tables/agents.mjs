/** An action of an agent's plugin, from hosts of each language, beside what agents have today. */

const names = { typescript: "TypeScript", python: "Python", rust: "Rust" };

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
    ["mcp", "MCP SDK, a tool, stdio, from Node", "peer", "typescript"],
  ],
};

const note =
  "The action looks at a value of the state, and at nothing else; the message has 64 characters. Ours is a stream of what the action says, with its result last; MCP's tool has a text and returns it.";

/** Returns a group for each host's language: all of its contenders take turns. */
export function agentGroups() {
  return Object.keys(contenders).map((language) => ({
    section: "agents",
    language,
    name: `Actions of agents in ${names[language]}`,
    tables: measured.map((what) => table(language, what)),
  }));
}

function table(language, { run, title, unit, better }) {
  const rows = contenders[language].map(([contender, label, kind, other]) => ({
    id: contender,
    label,
    kind,
    language: other ?? language,
    contender,
    run,
  }));
  return {
    id: `agents.${language}.${run}`,
    title: `${names[language]} host: action of a plugin, ${title}`,
    unit,
    better,
    rows,
    peer: rows.find((row) => row.kind === "peer")?.id,
    note,
  };
}
