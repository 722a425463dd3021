/** Libraries in a process of their own. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Code, type CodeName, codeFromName } from "@anyplug/core";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { loadPlugin } from "@anyplug/host";
import { expect, test } from "@jest/globals";

const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const ffi = { isolation: "process" } as const;

test("a library runs in a process of its own, says what it is, and is called as before", async () => {
  await using plugin = await loadPlugin(path("bin/late.so"), { ffi });
  expect([plugin.name, plugin.version, plugin.transport]).toEqual(["test-plugin", "0.1.0", "ffi"]);
  expect(plugin.manifest.offers).toEqual([Test.name]);
  expect(plugin.enforced).toEqual(["isolation: process"]);
  const client = plugin.client(Test);
  const data = new Uint8Array(3_000_000).fill(7);
  expect(Buffer.from(data).equals((await client.echo({ data })).data)).toBe(true);
  let next = 0;
  for await (const { index } of client.count({ count: 300, size: 1000 })) expect(index).toBe(next++);
  expect(next).toBe(300);
});

test("a library that crashes ends its own process alone", async () => {
  await using plugin = await loadPlugin(path("bin/crash.so"), { ffi });
  const error = plugin.client(Test).echo({});
  await expect(error).rejects.toMatchObject({ code: Code.Unavailable, message: expect.stringMatching(/SIGABRT/) });
});

test("a thread that sends when the plugin is closed holds nothing up", async () => {
  const plugin = await loadPlugin(path("bin/busy.so"), { ffi });
  expect((await plugin.client(Test).echo({ text: "begin" })).text).toBe("begin");
  await plugin.close();
  await expect(plugin.client(Test).echo({})).rejects.toMatchObject({ code: Code.Unavailable });
});

const cases: { name: string; code?: CodeName; says?: string[] }[] = JSON.parse(
  readFileSync(path("cases.json"), "utf8"),
);
// Each starts a process: these are one of each kind.
const refused = cases.filter(({ name }) => ["text", "newer_version", "no_instance"].includes(name));

test.each(refused.map((one) => [one.name, one] as const))(
  "%s is refused in the same words",
  async (name, { code, says = [] }) => {
    const error = await loadPlugin(path(`bin/${name}.so`), { ffi }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: codeFromName(code ?? "OK") });
    for (const words of says) expect(String(error)).toContain(words);
  },
);

test("an isolation that there is not is refused", async () => {
  const ffi = { isolation: "thread" as "process" };
  await expect(loadPlugin(path("bin/late.so"), { ffi })).rejects.toMatchObject({ code: Code.InvalidArgument });
});
