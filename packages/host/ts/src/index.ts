/**
 * Loads anyplug plugins: manifest, discovery, loadPlugin.
 *
 * ```ts
 * await using plugin = await loadPlugin("./plugins/eliza-classic/python");
 * const { text } = await plugin.client(Eliza).reply({ text: "Men are all alike." });
 * ```
 */

export type { ExtismCallOptions, ExtismFunction, ExtismPlugin } from "@anyplug/wasm";
export { registerBuiltin } from "./builtin.js";
export { splitCommand } from "./command.js";
export type { LinkedPlugin } from "./direct.js";
export {
  type Discovery,
  type DiscoveryOptions,
  discoverPlugins,
  type FoundPlugin,
  type PluginFailure,
  type PluginSource,
} from "./discovery.js";
export { type ExtismOptions, loadExtismPlugin } from "./extism.js";
export { locateLibrary } from "./ffi.js";
export { type InterpreterOptions, interpreter } from "./interpreter.js";
export { loadDirect, loadPlugin, loadPythonPlugin } from "./load.js";
export type { LocatedPlugin } from "./locate.js";
export { type LocatedManifest, type Manifest, manifestFile, parseManifest, readManifest } from "./manifest.js";
export type { FfiOptions, LoadOptions, TransportName } from "./options.js";
export { Plugin } from "./plugin.js";
export type { ReconnectOptions } from "./reconnect.js";
export { loadPlugins, PluginSet } from "./set.js";
export type { WasiDirectory, WasiOptions, WasmOptions } from "./wasi/files.js";
