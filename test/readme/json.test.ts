/** The README's snippets about JSON. */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";

const root = fileURLToPath(new URL("../../", import.meta.url));

test.each([
  ["typescript", process.execPath, "examples/greeter/ts/dist/json.js"],
  ["python", ".venv/bin/python", "examples/greeter/python/as_json.py"],
  ["rust", "target/fast/greeter-json"],
])("the README's JSON in %s", async (_, program, ...args) => {
  const { stdout, stderr } = await promisify(execFile)(program, args, { cwd: root });
  expect(stdout).toBe('{"name":"Ada"}\nGrace\n{}\n');
  expect(stderr).toBe("");
});
