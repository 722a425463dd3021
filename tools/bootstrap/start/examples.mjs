import { join } from "node:path";
import process from "node:process";
import { root } from "../setup/paths.mjs";
import { run } from "./host-program.mjs";
import { LANGUAGES } from "./languages.mjs";

const COMMANDS = {
  typescript: [process.execPath, join(root, "examples", "dist", "ts-loads-all.js")],
  python: [join(root, ".venv", "bin", "python"), join(root, "examples", "py_loads_all.py")],
  rust: [join(root, "target", "fast", "rust-loads-all")],
};

/**
 * Runs the hosts in examples/ that load every plugin in every language, all at once: nothing is measured.
 *
 * @param {Record<string, string[]>} commands the command of each language's host
 * @returns {Promise<{ host: string, table: string, error?: string }[]>} what each printed; one that failed says why in `error`
 */
export async function runExamples(commands = COMMANDS) {
  return Promise.all(
    LANGUAGES.map(async (host) => {
      const [program, ...args] = commands[host];
      const { stdout, stderr, problem } = await run(program, args);
      return { host, table: stdout, ...(problem === undefined ? {} : { error: `${problem}\n${stderr}`.trimEnd() }) };
    }),
  );
}

/** Returns the tables, each below the language of its host. */
export function formatExamples(examples) {
  const text = ({ host, table, error }) => `Loaded from ${host}:\n\n${table}${error === undefined ? "" : `${error}\n`}`;
  return examples.map(text).join("\n");
}
