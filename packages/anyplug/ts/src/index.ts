/**
 * Any runtime loads any plugin.
 *
 * A `.proto` file is the contract, and `buf generate` makes the stubs. A host loads a plugin, in whatever language it is written:
 *
 * ```ts
 * await using plugin = await loadPlugin("./plugins/greeter");
 * const { text } = await plugin.client(Greeter).greet({ name: "Ada" });
 * ```
 *
 * What a plugin's author imports is `@anyplug/sdk`.
 */

export {
  AnyplugError,
  type AnyplugErrorOptions,
  type CallOptions,
  Code,
  type CodeName,
  codeFromName,
  codeFromNumber,
  codeName,
  type Detail,
  type HandlerContext,
  type Implementation,
  implement,
  type LimitOptions,
  type LogFields,
  type LogLevel,
  type LogRecord,
  type Metadata,
  type ServiceDescriptor,
  type SyncClientOf,
} from "@anyplug/core";
export {
  type Discovery,
  type DiscoveryOptions,
  discoverPlugins,
  type ExtismCallOptions,
  type ExtismFunction,
  type ExtismOptions,
  type ExtismPlugin,
  type FoundPlugin,
  type LinkedPlugin,
  type LoadOptions,
  loadDirect,
  loadExtismPlugin,
  loadPlugin,
  loadPlugins,
  loadPythonPlugin,
  type Manifest,
  manifestFile,
  Plugin,
  type PluginFailure,
  PluginSet,
  type PluginSource,
  parseManifest,
  readManifest,
  registerBuiltin,
  type TransportName,
  type WasiDirectory,
  type WasiOptions,
  type WasmOptions,
} from "@anyplug/host";
export {
  type JsonMessage,
  type JsonReadOptions,
  type JsonSource,
  JsonTypes,
  type JsonWriteOptions,
} from "@anyplug/json";
export { type LoadWasmOptions, loadWasm, WasmPlugin, type WasmSource } from "@anyplug/wasm";
