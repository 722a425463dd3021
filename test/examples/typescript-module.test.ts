/** A plugin in TypeScript as a module: what a host's limits do to it. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { buildPlugin } from "@anyplug/wasm-build";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Code, loadPlugin } from "anyplug";

const entry = fileURLToPath(new URL("../../packages/wasm-build/ts/test/fixtures/probe-plugin.ts", import.meta.url));
let folder: string;
let module: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "anyplug-module-"));
  module = join(folder, "probe.wasm");
  await writeFile(module, (await buildPlugin({ entry })).wasm);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test("one that takes more memory than it may ends in these words, and is begun anew", async () => {
  await using plugin = await loadPlugin(module, { wasm: { maxMemoryBytes: 32 << 20, callTimeoutMs: 120_000 } });
  const client = plugin.client(Test);
  const failed = client.echo({ text: "fill" });
  await expect(failed).rejects.toMatchObject({
    code: Code.ResourceExhausted,
    message: expect.stringContaining("maxMemoryBytes"),
  });
  expect((await client.echo({ text: "integers of any size" })).text).toContain("1267650600237452773533557981184");
});

test("one that never returns is stopped, and is begun anew", async () => {
  await using plugin = await loadPlugin(module, { wasm: { callTimeoutMs: 120_000 } });
  const client = plugin.client(Test);
  await expect(client.echo({ text: "hang" }, { timeoutMs: 500 })).rejects.toMatchObject({
    code: Code.DeadlineExceeded,
  });
  expect((await client.echo({ text: "integers of any size" })).text).toContain("1267650600237452773533557981184");
});
