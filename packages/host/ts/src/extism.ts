/** An Extism plugin from its file, with HTTP. */

import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { AnyplugError, Code } from "@anyplug/core";
import { type ExtismOptions as AnyExtismOptions, checkModuleBytes, ExtismPlugin } from "@anyplug/wasm";
import { sendRequest } from "./http.js";
import { type WasmOptions, withFiles } from "./wasi/files.js";

/** What a host in Node can say about loading an Extism plugin. All of it is optional. */
export interface ExtismOptions extends AnyExtismOptions {
  /** What it may use. Its host's memory, which holds input and output, may be as large as its own. It has one instance. */
  readonly wasm?: WasmOptions | undefined;
}

/**
 * Loads an Extism plugin, made by whichever Extism PDK: from its file, or from the bytes of its module.
 *
 * ```ts
 * await using plugin = await loadExtismPlugin("count_vowels.wasm");
 * const output = new TextDecoder().decode(await plugin.call("count_vowels", "Hello, World!"));
 * ```
 *
 * @throws AnyplugError (rejects) NOT_FOUND when there is no such file, INVALID_ARGUMENT when it is no module or an option is wrong, FAILED_PRECONDITION when it imports what this host
 * does not have, RESOURCE_EXHAUSTED when it is over a limit.
 */
export async function loadExtismPlugin(
  source: string | URL | Uint8Array,
  options: ExtismOptions = {},
): Promise<ExtismPlugin> {
  const settings = { sendRequest, ...options, wasm: withFiles(options.wasm) };
  if (source instanceof Uint8Array) return ExtismPlugin.load(source, settings, "the module");
  const path = source instanceof URL ? fileURLToPath(source) : source;
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isFile()) {
    throw new AnyplugError(Code.NotFound, `${path} does not exist; build the plugin, or name another`);
  }
  checkModuleBytes(found.size, options.wasm, path);
  const named = { ...settings, name: options.name ?? basename(path, ".wasm") };
  return ExtismPlugin.load(await readFile(path), named, path);
}
