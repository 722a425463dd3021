/** A plugin as a WebAssembly module: its file is read, and the rest is the transport's. */

import { readFile, stat } from "node:fs/promises";
import { AnyplugError, Code } from "@anyplug/core";
import type { Manifest } from "@anyplug/protocol/anyplug/plugin/v1/manifest.js";
import { checkModuleBytes, WasmInstance } from "@anyplug/wasm";
import { derivedFrom } from "./derive.js";
import { defaultDrainTimeoutMs, defaultStartTimeoutMs, type LoadOptions } from "./options.js";
import { pathInside } from "./paths.js";
import { checkConfigLength, hostName, hostRouter, type Plan } from "./plan.js";
import { withFiles } from "./wasi/files.js";

/**
 * Loads the module of a plugin.
 *
 * @throws AnyplugError (rejects) NOT_FOUND when there is no such file, and as `WasmInstance.start`.
 */
export async function loadModule(
  plan: Plan,
  options: LoadOptions,
): Promise<{ instance: WasmInstance; manifest: Manifest }> {
  const { manifest, config, limits, isDerived = false } = plan;
  const { expect, onLog, signal } = options;
  const wasm = withFiles(options.wasm);
  const { startTimeoutMs = defaultStartTimeoutMs, drainTimeoutMs = defaultDrainTimeoutMs } = options;
  checkConfigLength(JSON.stringify(config), manifest.name);
  const path = pathInside(plan.folder, manifest.interop?.wasmPath ?? "", "interop.wasmPath");
  const instance = await WasmInstance.start(await readModule(path, plan, options), {
    wasm,
    place: path,
    hostName: hostName(options),
    router: hostRouter(plan, options),
    limits,
    expect,
    config,
    onLog,
    startTimeoutMs,
    drainTimeoutMs,
    signal,
  });
  return { instance, manifest: isDerived ? derivedFrom(manifest, instance.hello) : manifest };
}

async function readModule(path: string, { file, isDerived = false }: Plan, { wasm }: LoadOptions): Promise<Uint8Array> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isFile()) {
    const where = isDerived ? path : `${file}: interop.wasmPath: ${path}`;
    throw new AnyplugError(Code.NotFound, `${where} does not exist; build the plugin, or name another`);
  }
  checkModuleBytes(found.size, wasm, path);
  return readFile(path);
}
