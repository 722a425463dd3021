/** What a plugin costs while nobody calls it, and how long it takes until it can be called. */
import process from "node:process";
import { idleCpu, memory } from "../processes.mjs";
import { groupsOf, names, rowsOf } from "./rows.mjs";

const plugins = [
  ["process:ts", "plugin in TypeScript", "ours"],
  ["process:python", "plugin in Python", "ours"],
  ["process:rust", "plugin in Rust", "ours"],
];
const bare = [
  ["raw:ts", "bare Node child", "limit"],
  ["raw:python", "bare Python child", "limit"],
  ["raw:block", "bare Rust child", "limit"],
];

const peers = {
  typescript: [
    ["mcp", "MCP SDK's server", "peer"],
    ["jsonrpc", "vscode-jsonrpc's server", "peer"],
    ["grpc", "grpc-js's server", "peer"],
  ],
  python: [
    ["mcp", "MCP SDK's server", "peer"],
    ["grpc", "grpcio's server", "peer"],
  ],
  rust: [],
};

const measured = [
  { run: "load", title: "until the first call has returned", unit: "ms" },
  {
    run: "cpu",
    title: "CPU of the plugin's process at rest",
    unit: "% of a core",
    probe: idleCpu("child"),
    together: true,
  },
  {
    run: "host-cpu",
    title: "CPU of the host's process at rest",
    unit: "% of a core",
    probe: idleCpu("host"),
    together: true,
  },
  { run: "memory", title: "memory of the plugin's process (RSS)", unit: "MB", probe: memory(/^Rss:\s+(\d+)/gm) },
  {
    run: "own-memory",
    title: "of it not shared with other processes",
    unit: "MB",
    probe: memory(/^Private_\w+:\s+(\d+)/gm),
  },
];

/** Returns a group for each host's language. What a process uses is read from /proc, where there is one. */
export function idleGroups() {
  const possible = measured.filter(({ probe }) => probe === undefined || process.platform === "linux");
  return groupsOf("idle", (name) => `Load and rest, ${name} host`, possible, table);
}

function table(language, { run, title, unit, probe, together }) {
  const contenders = [...plugins, ...bare, ...peers[language]];
  const rows = rowsOf(contenders, language, run).map((row) => ({ ...row, probe }));
  const aims = plugins.map(([row, label]) => ({ row, bound: 0.5, text: `${label} under 0.5 % of a core` }));
  return {
    id: `idle.${language}.${run}`,
    title: `${names[language]} host: ${title}`,
    unit,
    better: "lower",
    together,
    rows,
    aims: run === "cpu" ? aims : [],
  };
}
