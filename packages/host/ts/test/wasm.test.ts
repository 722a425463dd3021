/** WebAssembly modules that are loaded by their path. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, implement } from "@anyplug/core";
import { Bench } from "@anyplug/generated/anyplug/bench/v1/bench_anyplug.js";
import { afterAll, expect, test } from "@jest/globals";
import { guest } from "../../../wasm/ts/test/guest.js";
import { loadDirect, loadPlugin } from "../src/load.js";

const folders: string[] = [];

afterAll(() => {
  for (const path of folders) rmSync(path, { recursive: true });
});

/** A folder with a plugin.json and a module. */
async function folder(interop: object, more: object = {}): Promise<string> {
  const path = mkdtempSync(join(tmpdir(), "anyplug-wasm-"));
  folders.push(path);
  writeFileSync(join(path, "guest.wasm"), await guest());
  const manifest = { name: "guest", version: "1.0.0", language: "other", interop, ...more };
  writeFileSync(join(path, "plugin.json"), JSON.stringify(manifest));
  return path;
}

const data = Uint8Array.of(1, 2, 3);

test("a module says itself what it is", async () => {
  const path = join(await folder({}), "guest.wasm");
  await using plugin = await loadPlugin(path);
  expect([plugin.name, plugin.version, plugin.transport]).toEqual(["guest", "1.0.0", "wasm"]);
  expect(plugin.manifest).toMatchObject({ name: "guest", version: "1.0.0", offers: [Bench.name] });
  expect((await plugin.client(Bench).echo({ data })).data).toEqual(data);
  expect(plugin.syncClient(Bench).echo({ data }).data).toEqual(data);
  expect(plugin.enforced.length).toBeGreaterThan(0);
});

test("a plugin that has nothing else is loaded as a module, and one that has a command when it is asked for", async () => {
  const only = await folder({ wasmPath: "guest.wasm" });
  const both = await folder({ wasmPath: "guest.wasm", ipcCommand: "./none" });
  const preferred = await folder({ wasmPath: "guest.wasm", ipcCommand: "./none", protocol: "wasm" });
  const named = await folder({ wasmPath: "guest.wasm", ipcCommand: "./none" }, { transports: ["wasm", "process"] });
  for (const path of [only, preferred, named]) {
    await using plugin = await loadPlugin(path);
    expect(plugin.transport).toBe("wasm");
  }
  await expect(loadPlugin(both)).rejects.toMatchObject({ message: expect.stringMatching(/none/) });
  await using plugin = await loadPlugin(both, { transport: "wasm" });
  expect((await plugin.client(Bench).echo({ data })).data).toEqual(data);
});

test("a module that does not exist, leaves its folder, or is too large", async () => {
  const absent = await folder({ wasmPath: "bin/absent.wasm" });
  await expect(loadPlugin(absent)).rejects.toMatchObject({
    code: Code.NotFound,
    message: `${absent}/plugin.json: interop.wasmPath: ${absent}/bin/absent.wasm does not exist; build the plugin, or name another`,
  });
  await expect(loadPlugin(`${absent}/absent.wasm`)).rejects.toMatchObject({ code: Code.NotFound });
  await expect(loadPlugin(await folder({ wasmPath: "../guest.wasm" }))).rejects.toMatchObject({
    code: Code.InvalidArgument,
  });
  const path = join(await folder({}), "guest.wasm");
  await expect(loadPlugin(path, { wasm: { maxWasmBytes: 10 } })).rejects.toMatchObject({
    code: Code.ResourceExhausted,
  });
});

test("a plugin over another transport cannot be called synchronously", async () => {
  const services = [implement(Bench, { echo: ({ data }) => ({ data }), count: () => [] })];
  await using plugin = await loadDirect({ name: "linked", version: "1.0.0", services });
  expect(() => plugin.syncClient(Bench).echo({ data })).toThrow(
    expect.objectContaining({ code: Code.FailedPrecondition }),
  );
  expect(plugin.enforced).toEqual([]);
});
