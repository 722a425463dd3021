/** A plugin's program that was not started as it should be. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Connection } from "@anyplug/core";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { processChannel, startProcess } from "@anyplug/ipc";
import { describe, expect, test } from "@jest/globals";

const program = resolve(import.meta.dirname, "../../../../plugins/test-plugin/ts/dist/main.js");

function run(channel?: string): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, ...(channel === undefined ? {} : { ANYPLUG_CHANNEL: channel }) };
  return spawnSync(process.execPath, [program], { env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

describe("a plugin's program", () => {
  test("explains itself to a person, and exits with 64", () => {
    const { status, stdout, stderr } = run();
    expect(status).toBe(64);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^test-plugin 0\.1\.0 is an anyplug plugin: .*loadPlugin in TypeScript.*\n$/);
  });

  test.each([
    ["unix:/x", 'test-plugin: ANYPLUG_CHANNEL is "unix:/x"; expected "fd:R,W" or "stdio"\n'],
    ["fd:97,98", /^test-plugin: ANYPLUG_CHANNEL names descriptor 97, which is not open/],
  ])("refuses the channel %s and says why", (channel, message) => {
    const { status, stderr } = run(channel);
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
  });
});

test("a plugin whose channel ends cancels its handlers, lets them end, and exits with 0 whatever else it does", async () => {
  const folder = mkdtempSync(join(program, "..", "test-"));
  const text = `import { definePlugin, implement, serve } from "@anyplug/sdk";
    import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
    setInterval(() => {}, 1000);
    const wait = (_, { signal }) => new Promise((resolve) => {
      console.log("waiting");
      signal.addEventListener("abort", () => setTimeout(() => resolve(console.log("told", signal.reason.message)), 20));
    });
    await serve(definePlugin({ name: "waits", version: "1", services: [implement(Test, { wait })] }));`;
  writeFileSync(join(folder, "plugin.mjs"), text);
  const lines: string[] = [];
  let started = () => {};
  const waiting = new Promise<void>((resolve) => {
    started = resolve;
  });
  const onLine = (_: string, line: string) => {
    lines.push(line);
    started();
  };
  const child = await startProcess({ name: "waits", command: [process.execPath, "plugin.mjs"], cwd: folder, onLine });
  const connection = new Connection(processChannel(child), { role: "host", name: "tester", version: "1" });
  const call = connection
    .client(Test)
    .wait({})
    .catch(() => {});
  await waiting;
  connection.close();
  await call;
  expect(await child.exited).toEqual({ status: 0, signal: undefined });
  expect(lines).toEqual(["waiting", "told the connection ended: the host closed the channel"]);
  rmSync(folder, { recursive: true });
});
