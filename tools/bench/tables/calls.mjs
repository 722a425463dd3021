/** Calls from hosts of each language to plugins of each language, over processes. */

import { firstOf, groupsOf, names, rowsOf } from "./rows.mjs";

const measured = [
  { run: "latency", title: "round trip of 64 B", unit: "us", better: "lower" },
  { run: "throughput", title: "calls of 64 B, 64 in flight", unit: "calls/s", better: "higher" },
  { run: "bulk", title: "echo of 1 MiB, 4 in flight, both directions counted", unit: "MB/s", better: "higher" },
  { run: "stream", title: "stream of messages of 64 B from the plugin", unit: "messages/s", better: "higher" },
  { run: "streams", title: "1,000 streams at a time, of 10 messages of 64 B", unit: "messages/s", better: "higher" },
];

const everything = measured.map(({ run }) => run);
// A thread for each of a thousand streams is no way to read them, and the streams of MCP and JSON-RPC are notifications of the one connection.
const single = everything.filter((run) => run !== "streams");
const echoes = ["latency", "throughput", "bulk"];

const contenders = {
  typescript: [
    ["process:ts", "to TypeScript", "ours", everything],
    ["process:python", "to Python", "ours", everything],
    ["process:rust", "to Rust", "ours", everything],
    ["raw:spin", "bare socket, both spin", "limit", echoes],
    ["raw:block", "bare socket, both block", "limit", echoes],
    ["raw:ts", "bare socket, Node child", "limit", echoes],
    ["raw:stream", "bare socket", "limit", ["stream"]],
    ["mcp", "MCP SDK, stdio", "peer", single],
    ["jsonrpc", "vscode-jsonrpc, stdio", "peer", single],
    ["grpc", "grpc-js, Unix socket", "peer", everything],
  ],
  python: [
    ["process:ts", "to TypeScript, threads", "ours", single],
    ["process:python", "to Python, threads", "ours", single],
    ["process:rust", "to Rust, threads", "ours", single],
    ["asyncio:ts", "to TypeScript, asyncio", "ours", everything],
    ["asyncio:python", "to Python, asyncio", "ours", everything],
    ["asyncio:rust", "to Rust, asyncio", "ours", everything],
    ["asyncio:rust+uvloop", "to Rust, uvloop", "ours", everything],
    // A spin in Python is slow and takes the GIL: what this host can reach is what native code does.
    ["raw:spin", "bare pipes in Rust, both spin", "limit", echoes, "rust"],
    ["raw:block", "bare pipes, both block", "limit", echoes],
    ["asyncio-raw:block", "asyncio Protocol, bare pipes", "limit", echoes],
    ["asyncio-raw:block+uvloop", "uvloop Protocol, bare pipes", "limit", echoes],
    ["raw:stream", "bare pipes", "limit", ["stream"]],
    ["mcp", "MCP SDK, stdio", "peer", single],
    ["grpc", "grpcio, Unix socket", "peer", single],
    ["asyncio-grpc", "grpc.aio, Unix socket", "peer", everything],
  ],
  rust: [
    ["process:ts", "to TypeScript", "ours", everything],
    ["process:python", "to Python", "ours", everything],
    ["process:rust", "to Rust", "ours", everything],
    ["raw:spin", "bare pipes, both spin", "limit", echoes],
    ["raw:block", "bare pipes, both block", "limit", echoes],
    ["raw:ts", "bare pipes, Node child", "limit", echoes],
    ["raw:python", "bare pipes, Python child", "limit", echoes],
    ["raw:stream", "bare pipes", "limit", ["stream"]],
  ],
};

const gigabyte = { row: "process:rust", bound: 1000, text: "1 GB/s to Rust" };

const aims = {
  typescript: {
    latency: [
      { row: "process:rust", against: "raw:spin", factor: 1.5, text: "to Rust within 1.5x of a bare echo in Node" },
      { row: "process:rust", against: "mcp", factor: 0.1, text: "to Rust in a tenth of the MCP SDK's time" },
    ],
    throughput: [{ row: "process:rust", against: "mcp", factor: 10, text: "to Rust 10x the calls of the MCP SDK" }],
    bulk: [gigabyte],
  },
  python: {
    latency: [
      { row: "process:rust", against: "raw:spin", factor: 2, text: "threads to Rust within 2x of a bare pipe" },
      { row: "asyncio:rust", bound: 10, text: "asyncio to Rust under 10 us, where a bare Protocol takes 75" },
    ],
    bulk: [gigabyte],
  },
  rust: {
    latency: [{ row: "process:rust", against: "raw:spin", factor: 2, text: "to Rust within 2x of a bare pipe" }],
    bulk: [gigabyte],
  },
};

const notes = {
  latency:
    "One call at a time; messages are made, encoded, decoded and their length checked on both sides. JSON peers send 64 characters, bare pipes 64 bytes without a message.",
  throughput: "As above. Threads where calls block, tasks elsewhere; bare pipes keep 64 messages of 64 B on the way.",
  bulk: "JSON peers send 1 MiB of ASCII text.",
  stream:
    "One stream at a time; flow control included. MCP and JSON-RPC notify; bare pipes send in blocks and take them apart.",
  streams: "A thousand are open all the time: one that has ended is followed by the next.",
};

/** Returns a group for each host's language. */
export function callGroups() {
  return groupsOf("calls", (name) => `Calls from ${name}`, measured, table);
}

function table(language, { run, title, unit, better }) {
  const rows = rowsOf(contenders[language], language, run);
  return {
    id: `calls.${language}.${run}`,
    title: `${names[language]} host: ${title}`,
    unit,
    better,
    rows,
    limit: firstOf(rows, "limit"),
    peer: rows.find(({ id }) => id === "mcp")?.id,
    note: notes[run],
    aims: aims[language][run] ?? [],
  };
}
