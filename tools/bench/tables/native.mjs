/** Calls to plugins that are shared libraries, beside other ways to call native code from the same language. */

import { firstOf, groupsOf, names, rowsOf, within } from "./rows.mjs";

const measured = [
  { run: "echo64", title: "library: echo of 64 B" },
  { run: "echo64k", title: "library: echo of 64 KiB" },
];

const contenders = {
  typescript: [
    ["ffi-sync:rust", "Rust plugin, synchronous stub", "ours"],
    ["ffi:rust", "Rust plugin", "ours"],
    ["ffi-sync:c", "C plugin, synchronous stub", "ours"],
    ["ffi:c", "C plugin", "ours"],
    ["napi", "napi-rs: Buffer in, new Buffer out", "peer"],
    ["ffi-raw", "koffi: memcpy of as much", "limit"],
  ],
  python: [
    ["ffi:rust", "Rust plugin, threads", "ours"],
    ["asyncio-ffi:rust", "Rust plugin, asyncio", "ours"],
    ["ffi:c", "C plugin, threads", "ours"],
    ["asyncio-ffi:c", "C plugin, asyncio", "ours"],
    ["pyo3", "PyO3: bytes in, new bytes out", "limit"],
    ["cffi", "cffi, API mode: bytes in, new bytes out", "peer"],
    ["ffi-raw", "ctypes: memcpy of as much", "peer"],
  ],
  rust: [
    ["ffi:rust", "Rust plugin", "ours"],
    ["ffi:c", "C plugin", "ours"],
    ["ffi-raw", "a call through a trait object, bytes", "limit"],
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
  rust: [],
};

const note =
  "A typed call: message made, encoded, decoded, length checked. The plugin in C answers with the bytes of the request, which shows what the host alone costs.";

/** Returns a group for each host's language. */
export function nativeGroups() {
  return groupsOf("native", (name) => `Libraries in ${name}`, measured, table);
}

function table(language, { run, title }) {
  const rows = rowsOf(contenders[language], language, run);
  return {
    id: `native.${language}.${run}`,
    title: `${names[language]} host, ${title}`,
    note,
    unit: "us",
    better: "lower",
    rows,
    limit: firstOf(rows, "limit"),
    peer: firstOf(rows, "peer"),
    aims: run === "echo64" ? within(aims[language], rows, "us") : [],
  };
}
