/**
 * Makes one WebAssembly module of a plugin written in TypeScript.
 *
 * The plugin is bundled, put into a JavaScript engine (QuickJS) that speaks the embedded ABI, and run up to where it waits for its host: the module begins there.
 * As a program: `anyplug-wasm src/plugin.ts -o plugin.wasm`.
 */

export { type BuildOptions, type BuiltPlugin, buildPlugin } from "./build.js";
export { BuildError } from "./error.js";
