/** A plugin as a WebAssembly module: its file is read, and the rest is the transport's. */

import { readFile } from "node:fs/promises";
import type { Manifest } from "@anyplug/protocol/anyplug/plugin/v1/manifest.js";
import { checkModuleBytes, WasmInstance } from "@anyplug/wasm";
import { derivedFrom } from "./derive.js";
import type { LoadOptions } from "./options.js";
import { pathInside } from "./paths.js";
import { hostingOptions, type Plan, sizeOfFile } from "./plan.js";
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
  const { manifest, isDerived = false } = plan;
  const field = "interop.wasmPath";
  const place = pathInside(plan.folder, manifest.interop?.wasmPath ?? "", field);
  checkModuleBytes(await sizeOfFile(place, field, plan), options.wasm, place);
  const hosting = { ...hostingOptions(plan, options), wasm: withFiles(options.wasm), place };
  const instance = await WasmInstance.start(await readFile(place), hosting);
  return { instance, manifest: isDerived ? derivedFrom(manifest, instance.hello) : manifest };
}
