/** `node:timers` in a WebAssembly module. */

export const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate } = globalThis;
export * as promises from "./timers-promises.js";
