/** The programs under test. */
import { join, resolve } from "node:path";
import process from "node:process";

export const root = resolve(import.meta.dirname, "../../..");
const own = join(root, "test/rpc-conformance");

/** The words that start a client or a server in each language, before the transport. */
export const programs = {
  TypeScript: (role) => [process.execPath, join(own, "ts/dist", `${role}.js`)],
  Python: (role) => [join(root, ".venv/bin/python"), "-m", "rpc_conformance", role],
  Rust: (role) => [join(root, "target/fast/rpc-conformance"), role],
};

export const languages = Object.keys(programs);

/** How a client reaches the plugin of a server. With `unix` go the tests by TLS, which has an address of its own kind. */
export const transports = ["unix", "tcp", "process", "stdio", "direct"];

/** A direct call stays in one process, and so in one language. */
export const cells = transports.flatMap((transport) =>
  languages.flatMap((client) =>
    languages
      .filter((server) => transport !== "direct" || server === client)
      .map((server) => ({ transport, client, server })),
  ),
);

export const environment = {
  ...process.env,
  PYTHONPATH: join(own, "python"),
  VIRTUAL_ENV: join(root, ".venv"),
};
