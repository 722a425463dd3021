/** Calls from hosts of each language to plugins that are served at an address, beside gRPC on the same kind of socket. */

const names = { typescript: "TypeScript", python: "Python", rust: "Rust" };

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
      [`grpc${grpc}`, "grpcio, from Python", "peer", "python"],
    ],
  };
};

/** Returns a group for each host's language: all of its contenders take turns. */
export function socketGroups() {
  return Object.keys(names).map((language) => ({
    section: "sockets",
    language,
    name: `Calls over sockets from ${names[language]}`,
    tables: kinds.flatMap((kind) => measured.map((what) => table(language, kind, what))),
  }));
}

function table(language, [kind, where], { run, title, unit, better }) {
  const rows = contenders(kind)[language].map(([contender, label, role, other]) => ({
    id: contender,
    label,
    kind: role,
    language: other ?? language,
    contender,
    run,
  }));
  return {
    id: `sockets.${language}.${kind}.${run}`,
    title: `${names[language]} host, ${where}: ${title}`,
    unit,
    better,
    rows,
    peer: rows.find((row) => row.kind === "peer")?.id,
  };
}
