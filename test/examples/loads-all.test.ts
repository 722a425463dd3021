/** The examples that load every plugin in every language, as `npm start` runs them. */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";

const root = fileURLToPath(new URL("../../", import.meta.url));

const answers = {
  "eliza-classic": "IN WHAT WAY",
  inmemorydb: "north 1.000, north-east 0.707",
  weather: "In Bonn. It is autumn.",
  "test-plugin": "hello",
};

/** Returns the table that a host in a language prints: what is in its own language it loads into its process. */
function table(host: string): string {
  const lines = Object.entries(answers).flatMap(([name, answer]) =>
    ["typescript", "python", "rust"].map((language) => [
      name,
      language,
      language === host ? "direct" : "process",
      answer,
    ]),
  );
  const columns = [["plugin", "language", "transport", "what came back"], ...lines];
  return columns
    .map(([name = "", language = "", transport = "", answer]) =>
      [name.padEnd(15), language.padEnd(12), transport.padEnd(11), answer, "\n"].join(""),
    )
    .join("");
}

test.each([
  ["typescript", process.execPath, "examples/dist/ts-loads-all.js"],
  ["python", ".venv/bin/python", "examples/py_loads_all.py"],
  ["rust", "target/fast/rust-loads-all"],
])(
  "the example in %s prints what each plugin answers",
  async (host, program, ...args) => {
    const { stdout, stderr } = await promisify(execFile)(program, args, { cwd: root });
    expect(stdout).toBe(table(host));
    expect(stderr).toBe("");
  },
  120_000,
);
