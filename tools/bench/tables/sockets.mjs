/** Calls from hosts of each language to plugins that are served at an address, beside gRPC on the same kind of socket. */

import { firstOf, groupsOf, names, rowsOf } from "./rows.mjs";

const kinds = [
  ["unix", "Unix socket"],
  ["tcp", "TCP on this machine"],
];

const measured = [
  { run: "latency", title: "round trip of 64 B", unit: "us", better: "lower" },
  { run: "throughput", title: "calls of 64 B, 64 in flight", unit: "calls/s", better: "higher" },
];

const contenders = (kind) => {
  const grpc = kind === "unix" ? "" : `:${kind}`;
  return {
    typescript: [
      [`${kind}:ts`, "to TypeScript", "ours"],
      [`${kind}:python`, "to Python", "ours"],
      [`${kind}:rust`, "to Rust", "ours"],
      [`grpc${grpc}`, "grpc-js", "peer"],
    ],
    python: [
      [`${kind}:rust`, "to Rust, threads", "ours"],
      [`asyncio-${kind}:ts`, "to TypeScript, asyncio", "ours"],
      [`asyncio-${kind}:python`, "to Python, asyncio", "ours"],
      [`asyncio-${kind}:rust`, "to Rust, asyncio", "ours"],
      [`grpc${grpc}`, "grpcio", "peer"],
      [`asyncio-grpc${grpc}`, "grpc.aio", "peer"],
    ],
    rust: [
      [`${kind}:ts`, "to TypeScript", "ours"],
      [`${kind}:python`, "to Python", "ours"],
      [`${kind}:rust`, "to Rust", "ours"],
      [`grpc${grpc}`, "grpcio, from Python", "peer", undefined, "python"],
    ],
  };
};

/** Returns a group for each host's language. */
export function socketGroups() {
  const all = kinds.flatMap((kind) => measured.map((what) => ({ kind, ...what })));
  return groupsOf("sockets", (name) => `Calls over sockets from ${name}`, all, table);
}

function table(language, { kind: [kind, where], run, title, unit, better }) {
  const rows = rowsOf(contenders(kind)[language], language, run);
  return {
    id: `sockets.${language}.${kind}.${run}`,
    title: `${names[language]} host, ${where}: ${title}`,
    unit,
    better,
    rows,
    peer: firstOf(rows, "peer"),
  };
}
