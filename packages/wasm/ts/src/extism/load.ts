/** Loads an Extism plugin, in a browser or anywhere else. */

import type { WasmSource } from "../source.js";
import { ExtismPlugin } from "./plugin.js";
import type { ExtismOptions } from "./settings.js";

/**
 * Loads an Extism plugin, made by whichever Extism PDK, from the bytes of its module, or from what `fetch` returned. (One that was compiled already runs without the limits of the group `wasm`.)
 *
 * ```ts
 * await using plugin = await loadExtism(await fetch("count_vowels.wasm"));
 * const output = new TextDecoder().decode(await plugin.call("count_vowels", "Hello, World!"));
 * ```
 *
 * @throws AnyplugError (rejects) INVALID_ARGUMENT when it is no module, or an option is wrong; FAILED_PRECONDITION when it imports what this host does not have; RESOURCE_EXHAUSTED
 * when it is over a limit, NOT_FOUND or UNAVAILABLE for a response that is no success.
 */
export async function loadExtism(
  source: WasmSource | Promise<WasmSource>,
  options: ExtismOptions = {},
): Promise<ExtismPlugin> {
  const given = await source;
  const place = typeof Response === "function" && given instanceof Response ? given.url || "the module" : "the module";
  return ExtismPlugin.load(given, options, place);
}
