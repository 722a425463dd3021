/** Plugins whose threads send when they like. */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Code } from "@anyplug/core";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { loadPlugin } from "@anyplug/host";
import { expect, test } from "@jest/globals";

const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const texts = Array.from({ length: 200 }, (_, index) => `call ${index}`);

test("answers that come from other threads are each for their own call", async () => {
  await using plugin = await loadPlugin(path("bin/late.so"));
  const client = plugin.client(Test);
  const answers = await Promise.all(texts.map((text) => client.echo({ text })));
  expect(answers.map(({ text }) => text)).toEqual(texts);
  const data = new Uint8Array(3_000_000).fill(7);
  expect(Buffer.from(data).equals((await client.echo({ data })).data)).toBe(true);
});

test("a call that is answered later cannot be made synchronously", async () => {
  await using plugin = await loadPlugin(path("bin/late.so"));
  expect(() => plugin.syncClient(Test).echo({})).toThrow(expect.objectContaining({ code: Code.FailedPrecondition }));
  expect((await plugin.client(Test).echo({ text: "later" })).text).toBe("later");
});

test("a plugin that is closed while a thread sends ends, and its client says so", async () => {
  const plugin = await loadPlugin(path("bin/busy.so"));
  const client = plugin.client(Test);
  expect((await client.echo({ text: "begin" })).text).toBe("begin");
  await plugin.close();
  await expect(client.echo({})).rejects.toMatchObject({ code: Code.Unavailable, message: /was closed/ });
});

test("a plugin that is loaded twice has two lives", async () => {
  const first = await loadPlugin(path("bin/late.so"));
  await using second = await loadPlugin(path("bin/late.so"));
  await first.close();
  expect((await second.client(Test).echo({ text: "second" })).text).toBe("second");
});

test.each([
  ["an idle plugin", "late", "idle", 0],
  ["a plugin that was closed", "late", "closed", 0],
  ["a plugin whose thread sends all the time", "busy", "idle", 0],
  ["a plugin whose thread sends all the time, by process.exit", "busy", "exit", 3],
  ["a call whose answer nobody waits for", "late", "unawaited", 0],
])("a program with %s ends by itself", async (_what, library, how, code) => {
  const program = promisify(execFile)(process.execPath, [path("ts/program.mjs"), path(`bin/${library}.so`), how]);
  const ended = await program.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; signal: string | null; stdout: string; stderr: string }) => error,
  );
  expect(ended).toMatchObject({ code, stdout: "answered\n", stderr: "" });
});
