/** Libraries that are loaded again and again, and built anew meanwhile. */

import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Code } from "@anyplug/core";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { loadPlugin } from "@anyplug/host";
import { expect, test } from "@jest/globals";

const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));

test("a library that was written anew at its path is loaded anew, while the old one goes on", async () => {
  const folder = mkdtempSync(join(tmpdir(), "anyplug-reload-"));
  try {
    const library = join(folder, "plugin.so");
    copyFileSync(path("bin/late.so"), library);
    await using old = await loadPlugin(library);
    // The same file, written over: one that is mapped from there would crash.
    copyFileSync(path("bin/longer_table.so"), library);
    await using fresh = await loadPlugin(library);
    expect(fresh.syncClient(Test).echo({ text: "at once" }).text).toBe("at once");
    expect(() => old.syncClient(Test).echo({})).toThrow(expect.objectContaining({ code: Code.FailedPrecondition }));
    expect((await old.client(Test).echo({ text: "later" })).text).toBe("later");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const onLinux = process.platform === "linux" ? test : test.skip;

onLinux("a hundred loads leave nothing behind", async () => {
  const load = async () => {
    await using plugin = await loadPlugin(path("bin/late.so"));
    expect((await plugin.client(Test).echo({ text: "hello" })).text).toBe("hello");
  };
  await load();
  const descriptors = readdirSync("/proc/self/fd").length;
  for (let count = 0; count < 100; count += 1) await load();
  expect(readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(descriptors + 10);
  // Each was loaded from a copy of its own, of which none is mapped any more.
  expect(readFileSync("/proc/self/maps", "utf8")).not.toMatch(/anyplug-ffi-\w+\/late\.so/);
});
