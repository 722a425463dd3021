/** Calls to plugins in WebAssembly modules, how long one takes to start, and a thousand of them, beside other ways to call a module. */
import process from "node:process";
import { firstOf, groupsOf, names, rowsOf, within } from "./rows.mjs";

const echo = (run, size) => ({ run, title: `module: echo of ${size}`, unit: "us", of: "echo" });

const calls = [
  echo("echo16", "16 B"),
  echo("echo1k", "1 KiB"),
  echo("echo64k", "64 KiB"),
  echo("echo1m", "1 MiB"),
  { run: "eliza", title: "module: reply of eliza-classic", unit: "us", of: "eliza" },
];

const instances = [
  { run: "cold", title: "module: from its bytes to the first answer, nothing cached", unit: "ms", of: "start" },
  { run: "warm", title: "module: the same, when it was loaded before", unit: "ms", of: "start" },
  { run: "instances", title: "module: 1,000 instances that have answered once", unit: "ms", of: "many" },
  { run: "instance-memory", title: "module: memory of each of 1,000 instances (RSS)", unit: "kB", of: "many" },
];

// [contender, label, kind, what it is measured by, language of another contender]
const contenders = {
  typescript: [
    ["wasm-sync:rust", "Rust plugin, synchronous stub", "ours", ["echo", "eliza"]],
    ["wasm:rust", "Rust plugin", "ours", ["echo", "eliza", "start", "many"]],
    ["wasm-sync:bare", "bare guest, synchronous stub", "ours", ["echo"]],
    ["wasm:bare", "bare guest", "ours", ["echo", "start", "many"]],
    ["wasm-sync:ts", "TypeScript plugin, synchronous stub", "ours", ["echo", "eliza"]],
    ["wasm:ts", "TypeScript plugin", "ours", ["echo", "eliza", "start"]],
    ["wasm-raw", "pointers by hand in V8, bytes", "limit", ["echo", "start", "many"]],
    ["direct-eliza", "in TypeScript, direct", "limit", ["eliza"]],
    ["extism", "Extism, bytes", "peer", ["echo", "start", "many"]],
    ["extism:pass", "Extism, guest that does not look at them", "peer", ["echo"]],
  ],
  python: [
    ["wasm:rust", "Rust plugin, threads", "ours", ["echo", "eliza", "start", "many"]],
    ["asyncio-wasm:rust", "Rust plugin, asyncio", "ours", ["echo", "eliza"]],
    ["wasm:bare", "bare guest, threads", "ours", ["echo", "start", "many"]],
    ["asyncio-wasm:bare", "bare guest, asyncio", "ours", ["echo"]],
    ["wasm:ts", "TypeScript plugin, threads", "ours", ["echo", "eliza", "start"]],
    ["wasm-raw", "wasmtime by hand in Rust, bytes", "limit", ["echo", "start", "many"], "rust"],
    ["direct-eliza", "in Python, direct", "limit", ["eliza"]],
    ["wasmtime", "wasmtime-py by hand, bytes", "peer", ["echo", "start", "many"]],
    ["extism", "Extism, bytes", "peer", ["echo", "start", "many"]],
    ["extism:pass", "Extism, guest that does not look at them", "peer", ["echo"]],
  ],
  rust: [
    ["wasm:rust", "Rust plugin", "ours", ["echo", "eliza", "start", "many"]],
    ["wasm:bare", "bare guest", "ours", ["echo", "start", "many"]],
    ["wasm:ts", "TypeScript plugin", "ours", ["echo", "eliza", "start"]],
    ["wasm-raw", "wasmtime by hand, bytes", "limit", ["echo", "start", "many"]],
    ["direct-eliza", "in Rust, direct", "limit", ["eliza"]],
    // Its runtime is a Rust library, which brings another wasmtime: here it is called by way of Python.
    ["extism", "Extism from Python, bytes", "peer", ["echo", "start", "many"], "python"],
    ["extism:pass", "Extism from Python, guest that does not look at them", "peer", ["echo"], "python"],
  ],
};

/** Microseconds of a typed call with 16 B. */
const shortCalls = {
  typescript: [
    ["wasm-sync:rust", 0.3],
    ["wasm:rust", 0.5],
    ["wasm-sync:bare", 0.3],
    ["wasm:bare", 0.5],
  ],
  python: [
    ["wasm:rust", 0.5],
    ["asyncio-wasm:rust", 0.5],
    ["wasm:bare", 0.5],
    ["asyncio-wasm:bare", 0.5],
  ],
  rust: [
    ["wasm:rust", 0.15],
    ["wasm:bare", 0.15],
  ],
};

const FACTOR = 1.5;

const notes = {
  echo: "A typed call: message made, encoded, decoded, length checked. A bare guest answers at once with the bytes of the request, which shows what the host alone costs. Others take and give bytes without messages.",
  start:
    "From the file to the first echo. A start that finds nothing cached has a module of other bytes each time; else V8 has compiled it in this process, and wasmtime has kept the code in a file. By hand the compiled module is at hand.",
  many: "Each is loaded by itself, from a module that was loaded before. A TypeScript plugin's holds an engine and is left out.",
};

/** Returns two groups for each host's language. What a process uses is read from /proc, where there is one. */
export function moduleGroups() {
  const shown = instances.filter(({ run }) => run !== "instance-memory" || process.platform === "linux");
  return [
    ...groupsOf("modules", (name) => `Modules in ${name}`, calls, table),
    ...groupsOf("instances", (name) => `Instances of modules in ${name}`, shown, table),
  ];
}

function table(language, { run, title, unit, of }) {
  const rows = rowsOf(contenders[language], language, run, of);
  return {
    id: `modules.${language}.${run}`,
    title: `${names[language]} host, ${title}`,
    note: notes[of],
    unit,
    better: "lower",
    rows,
    limit: firstOf(rows, "limit"),
    peer: rows.find(({ id }) => id === "extism")?.id,
    aims: aimsOf(language, run, rows),
  };
}

function aimsOf(language, run, rows) {
  if (run === "echo16") return within(shortCalls[language], rows, "us");
  if (run !== "echo64k") return [];
  const label = (row) => rows.find(({ id }) => id === row).label;
  return shortCalls[language].map(([row]) => ({
    row,
    against: "wasm-raw",
    factor: FACTOR,
    text: `${label(row)} within ${FACTOR}x of a call by hand`,
  }));
}
