/** What a plugin's program can do in a module, and what becomes of its mistakes. */

import { join } from "node:path";
import { Code } from "@anyplug/core";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { buildPlugin } from "../src/index.js";
import { probes } from "./fixtures/probes.js";
import { closeAll, ModuleHost } from "./module-host.js";

const entry = join(import.meta.dirname, "fixtures/probe-plugin.ts");
let module: WebAssembly.Module;

beforeAll(async () => {
  module = await WebAssembly.compile((await buildPlugin({ entry })).wasm);
});

afterEach(closeAll);

/** Has a new instance do something. */
async function done(deed: string, host = new ModuleHost(module)): Promise<unknown> {
  const { text } = await host.connection.client(Test).echo({ text: deed });
  return text === "" ? undefined : JSON.parse(text);
}

describe("as in Node", () => {
  test.each(Object.entries(probes))("%s", async (name, probe) => {
    const expected: unknown = JSON.parse(JSON.stringify(await probe()));
    expect(await done(name)).toEqual(expected);
  });
});

test("instances begin where the build ended, but each with random numbers and a clock of its own", async () => {
  const [one, other] = (await Promise.all([done("state"), done("state")])) as [State, State];
  expect(one.atBuild).toEqual(other.atBuild);
  expect(one.random).not.toBe(other.random);
  expect([one.isLater, one.atBuild.ticks]).toEqual([true, 0]);
});

test("a timer that was set while the module was built runs in each instance", async () => {
  const host = new ModuleHost(module);
  // Calls alone would keep the turn.
  while (!((await done("state", host)) as State).fired) await new Promise((resolve) => setImmediate(resolve));
});

test("a rejection that nobody waits for is an error in the log, unless somebody comes in the same turn", async () => {
  const host = new ModuleHost(module);
  await done("handleLate", host);
  await done("reject", host);
  expect((await host.logged(/nobody waits for this/)).level).toBe("error");
  expect(host.records.filter(({ message }) => message.includes("somebody does"))).toEqual([]);
});

test("what a timer or a job throws is an error in the log, and the plugin goes on", async () => {
  const host = new ModuleHost(module);
  await done("throwLater", host);
  await host.logged(/thrown by a timer/);
  await host.logged(/thrown by a job/);
  expect(await done("paths", host)).toHaveLength(4);
});

test("a recursion without end fails its call, not the module, in a host with a stack of the usual size", async () => {
  const host = new ModuleHost(module);
  const failed = host.connection.client(Test).echo({ text: "recurse" });
  await expect(failed).rejects.toMatchObject({ code: Code.Unknown, message: expect.stringMatching(/stack/i) });
  expect(await done("paths", host)).toHaveLength(4);
});

test("console and log write to the log of the host", async () => {
  const host = new ModuleHost(module);
  await done("print", host);
  const warning = await host.logged(/a warning/);
  expect(warning).toMatchObject({ level: "warn", message: 'a warning: { list: [1, "two"], map: Map { "k" => 1n } }' });
  expect(await host.logged(/a record/)).toMatchObject({ level: "info", fields: { n: "1" } });
});

interface State {
  readonly atBuild: { readonly ticks: number };
  readonly random: number;
  readonly isLater: boolean;
  readonly fired: boolean;
}
