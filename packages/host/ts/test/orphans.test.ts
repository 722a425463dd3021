/** No plugin outlives its host, however the host ends. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "@jest/globals";
import { isRunning, program, script, untilGone } from "./fixture/plugins.js";

const served =
  'import { definePlugin, serve } from "@anyplug/sdk"; const plugin = definePlugin({ name: "test-plugin", version: "0.1.0", services: [] });';

const plugins: Record<string, () => string> = {
  "is idle": () => program(`${served} console.log("PIDS", process.pid); await serve(plugin);`),
  "is in a busy loop": () =>
    program(`${served} serve(plugin); setTimeout(() => { console.log("PIDS", process.pid); for (;;); }, 100);`),
  "ignores TERM": () => script("trap '' TERM HUP INT; echo PIDS $$; while :; do :; done"),
  "never reads its channel": () => script("echo PIDS $$; exec sleep 100000"),
  "has started another process": () =>
    program(`import { spawn } from "node:child_process"; ${served}
      const child = spawn("sleep", ["100000"], { stdio: "ignore" }); console.log("PIDS", process.pid, child.pid); await serve(plugin);`),
};

/** Starts a host of the plugin in `folder`; returns it with the plugin's processes. */
async function host(folder: string, ending = "") {
  const program = join(import.meta.dirname, "fixture", "host.mjs");
  const child = spawn(process.execPath, [program, folder, ending], { stdio: ["ignore", "pipe", "pipe"] });
  const errors: Buffer[] = [];
  child.stderr.on("data", (bytes: Buffer) => errors.push(bytes));
  for await (const line of createInterface(child.stdout)) {
    const [word, ...pids] = line.split(" ");
    if (word === "PIDS") return { child, pids: pids.map(Number) };
  }
  throw new Error(`the host ended: ${Buffer.concat(errors)}`);
}

test.each(Object.entries(plugins))("a plugin that %s dies with a host that was killed", async (_, plugin) => {
  const { child, pids } = await host(plugin());
  expect(pids.map(isRunning)).not.toContain(false);
  child.kill("SIGKILL");
  for (const pid of pids) await untilGone(pid);
});

test.each(["exit", "throw"])(
  "a plugin that ignores TERM dies with a host that ends by %s without closing it",
  async (ending) => {
    const { child, pids } = await host(script("trap '' TERM HUP; echo PIDS $$; while :; do :; done"), ending);
    if (child.exitCode === null) await once(child, "exit");
    for (const pid of pids) await untilGone(pid);
  },
);
