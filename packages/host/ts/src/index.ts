/**
 * Loads anyplug plugins: manifest, discovery, loadPlugin.
 *
 * ```ts
 * await using plugin = await loadPlugin("./plugins/eliza-classic/python");
 * const { text } = await plugin.client(Eliza).reply({ text: "Men are all alike." });
 * ```
 */

export { splitCommand } from "./command.js";
export { type InterpreterOptions, interpreter } from "./interpreter.js";
export { loadPlugin } from "./load.js";
export { type LocatedManifest, type Manifest, manifestFile, parseManifest, readManifest } from "./manifest.js";
export type { LoadOptions, TransportName } from "./options.js";
export { Plugin } from "./plugin.js";
export type { ReconnectOptions } from "./reconnect.js";
