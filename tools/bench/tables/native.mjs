/** Calls to plugins that are shared libraries, beside other ways to call native code from the same language. */

import { firstOf, groupsOf, names, rowsOf, within } from "./rows.mjs";

const measured = [
  { run: "echo64", title: "library: echo of 64 B" },
  { run: "echo64k", title: "library: echo of 64 KiB" },
  { run: "message64", title: "library: a message of 64 B there and back on an open stream" },
];

const echoes = ["echo64", "echo64k"];
const streams = ["message64"];

const contenders = {
  typescript: [
    ["ffi-sync:rust", "Rust plugin, synchronous stub", "ours", echoes],
    ["ffi:rust", "Rust plugin", "ours", echoes],
    ["ffi-sync:c", "C plugin, synchronous stub", "ours", echoes],
    ["ffi:c", "C plugin", "ours", echoes],
    ["napi", "napi-rs: Buffer in, new Buffer out", "peer", echoes],
    ["ffi-raw", "koffi: memcpy of as much", "limit", echoes],
    ["ffi-stream:rust", "Rust plugin, a thread of its own", "ours", streams],
    ["ffi-stream:c", "C plugin, the host's thread", "ours", streams],
  ],
  python: [
    ["ffi:rust", "Rust plugin, threads", "ours", echoes],
    ["asyncio-ffi:rust", "Rust plugin, asyncio", "ours", echoes],
    ["ffi:c", "C plugin, threads", "ours", echoes],
    ["asyncio-ffi:c", "C plugin, asyncio", "ours", echoes],
    ["pyo3", "PyO3: bytes in, new bytes out", "limit", echoes],
    ["cffi", "cffi, API mode: bytes in, new bytes out", "peer", echoes],
    ["ffi-raw", "ctypes: memcpy of as much", "peer", echoes],
    ["asyncio-ffi-stream:rust", "Rust plugin, a thread of its own", "ours", streams],
    ["asyncio-ffi-stream:c", "C plugin, the host's thread", "ours", streams],
  ],
  rust: [
    ["ffi:rust", "Rust plugin", "ours", echoes],
    ["ffi:c", "C plugin", "ours", echoes],
    ["ffi-raw", "the C plugin's function by its pointer: bytes from room to room", "limit", echoes],
    ["plain-copy", "a call through a trait object: bytes made, new bytes out", "limit", echoes],
    ["ffi-stream:rust", "Rust plugin, a thread of its own", "ours", streams],
    ["ffi-stream:c", "C plugin, the host's thread", "ours", streams],
    ["oneshot", "tokio alone: a task in another thread answers by a oneshot", "limit", streams],
  ],
};

/** Microseconds of a typed call with 64 B. */
const aims = {
  typescript: [
    ["ffi-sync:rust", 0.3],
    ["ffi-sync:c", 0.3],
  ],
  python: [
    ["ffi:rust", 0.5],
    ["ffi:c", 0.5],
  ],
};

/** Microseconds that a typed call with 64 B may take more than the call by the pointer. */
const over = 0.06;

const notes = {
  echo: "A typed call: message made, encoded, decoded, length checked. The plugin in C answers with the bytes of the request, which shows what the host alone costs.",
  message:
    "Frames both ways, with what paces a stream. A handler in Rust waits in a thread of the plugin's runtime, which takes the message over and answers; the plugin in C answers before it returns to the host.",
};

/** Returns a group for each host's language. */
export function nativeGroups() {
  return groupsOf("native", (name) => `Libraries in ${name}`, measured, table);
}

function table(language, { run, title }) {
  const rows = rowsOf(contenders[language], language, run);
  return {
    id: `native.${language}.${run}`,
    title: `${names[language]} host, ${title}`,
    note: echoes.includes(run) ? notes.echo : notes.message,
    unit: "us",
    better: "lower",
    rows,
    limit: firstOf(rows, "limit"),
    peer: firstOf(rows, "peer"),
    aims: run === "echo64" ? aimsOf(language, rows) : [],
  };
}

function aimsOf(language, rows) {
  if (language !== "rust") return within(aims[language], rows, "us");
  const ours = rows.filter(({ kind }) => kind === "ours");
  const text = `within ${over} us over the C function by its pointer`;
  return ours.map(({ id, label }) => ({ row: id, over: "ffi-raw", bound: over, text: `${label} ${text}` }));
}
