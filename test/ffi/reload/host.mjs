/** `host.mjs COUNT LIBRARY…`: moves the libraries over one path in turn, and loads, calls and closes each from there; then says what the process has more than before. */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { loadPlugin } from "@anyplug/host";

/** Loads that come before the counting: what is made once is made then. */
const FIRST = 200;

const [count, ...libraries] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "anyplug-reload-"));
const path = join(folder, "plugin.so");
try {
  const versions = new Set();
  await load(FIRST);
  const before = usage();
  await load(Number(count));
  console.log(JSON.stringify({ before, after: usage(), versions: versions.size }));

  async function load(times) {
    for (let turn = 0; turn < times; turn += 1) {
      copyFileSync(libraries[turn % libraries.length], `${path}.new`);
      renameSync(`${path}.new`, path);
      const plugin = await loadPlugin(path);
      versions.add(plugin.version);
      const client = plugin.client(Test);
      await client.echo({ text: "hello" });
      let next = 0;
      for await (const { index } of client.count({ count: 3 })) if (index === next) next += 1;
      await plugin.close();
      if (next !== 3) throw new Error(`load ${turn}: ${next} messages of 3`);
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}

/** KiB of memory, mappings and descriptors of this process. */
function usage() {
  globalThis.gc?.();
  const memory = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
  const mappings = readFileSync("/proc/self/maps", "utf8").split("\n").length - 1;
  return { memory, mappings, descriptors: readdirSync("/proc/self/fd").length };
}
