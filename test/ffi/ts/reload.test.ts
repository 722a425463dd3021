/** Libraries that are loaded again and again, and built anew meanwhile. */

import { copyFileSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { loadPlugin, type Plugin } from "@anyplug/host";
import { expect, test } from "@jest/globals";

const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));

test("a library that was built anew at its path is loaded anew, while the old ones go on", async () => {
  const folder = mkdtempSync(join(tmpdir(), "anyplug-reload-"));
  try {
    const library = join(folder, "plugin.so");
    const ways = [
      copyFileSync,
      (from: string, to: string) => {
        copyFileSync(from, `${to}.new`);
        renameSync(`${to}.new`, to);
      },
      // The same file, written over: one that is mapped from there would crash.
      copyFileSync,
    ];
    const plugins: Plugin[] = [];
    for (const [index, write] of ways.entries()) {
      write(path(`bin/rebuilt-${index + 1}.so`), library);
      plugins.push(await loadPlugin(library));
    }
    const versions = ["0.1.1", "0.1.2", "0.1.3"];
    expect(plugins.map(({ version }) => version)).toEqual(versions);
    for (const [index, plugin] of plugins.entries()) {
      const answers = await Promise.all(plugins.slice(index).map((each) => each.client(Test).echo({})));
      expect(answers.map(({ text }) => text)).toEqual(versions.slice(index));
      await plugin.close();
    }
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
