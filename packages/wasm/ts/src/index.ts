/**
 * Loads plugins from WebAssembly modules, in Node, in browsers and wherever else there is WebAssembly.
 *
 * ```ts
 * await using plugin = await loadWasm(await fetch("eliza.wasm"));
 * const { text } = await plugin.client(Eliza).reply({ text: "Men are all alike." });
 * ```
 */

export type { HttpLimits, HttpRequest, HttpResponse, SendRequest } from "./extism/http.js";
export { loadExtism } from "./extism/load.js";
export { type ExtismCallOptions, ExtismPlugin } from "./extism/plugin.js";
export type { ExtismFunction, ExtismOptions } from "./extism/settings.js";
export { type InstanceOptions, WasmInstance } from "./instance.js";
export type { WasmOptions } from "./limits.js";
export { type LoadWasmOptions, loadWasm } from "./load.js";
export type { GuestMemory } from "./memory.js";
export { WasmPlugin } from "./plugin.js";
export { checkModuleBytes, type WasmSource } from "./source.js";
export type { WasiDescriptors, WasiFiles, WasiFunction, WasiFunctions, WasiHost } from "./wasi.js";
