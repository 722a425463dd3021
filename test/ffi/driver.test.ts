/** A host in C, which has nothing but anyplug.h and docs/protocol.md, and plugins of every language that can be a library. */

import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const suffix = process.platform === "darwin" ? ".dylib" : ".so";
const plugin = (language: string) => path(`../../plugins/test-plugin/${language}/bin/libtest-plugin${suffix}`);
const seen = `a table, and what the plugin is
calls with one request and one answer
streams in either direction, held back by credit
a stream that was cancelled
two instances, called by several threads
`;

/** Runs the whole session, and returns what became of the library. */
async function drive(library: string): Promise<string> {
  const driver = promisify(execFile)(path("bin/driver"), [library]);
  const { stdout, stderr } = await driver.catch((error: { stdout: string; stderr: string }) => error);
  expect(stderr).toBe("");
  expect(stdout.startsWith(seen)).toBe(true);
  return stdout.slice(seen.length);
}

test.each([
  ["the plugin in C", plugin("c")],
  ["one whose answers come from threads", path("bin/late.so")],
  ["one whose thread sends all the time", path("bin/busy.so")],
])("a host in C and %s", async (_what, library) => {
  expect(await drive(library)).toBe("an end, and the library is unloaded\n");
});

test("a host in C and the plugin in Rust", async () => {
  // Where its threads take too long to end, it says so.
  expect(await drive(plugin("rust"))).toMatch(/^an end, and the library (is unloaded|stays)\n$/);
});

const withGo = existsSync(plugin("go")) || hasGo() ? test : test.skip;

withGo("a host in C and the plugin in Go", async () => {
  expect(await drive(plugin("go"))).toBe("an end, and the library stays\n");
});

function hasGo(): boolean {
  return ["go", "/usr/local/go/bin/go"].some((go) => spawnSync(go, ["version"]).status === 0);
}
