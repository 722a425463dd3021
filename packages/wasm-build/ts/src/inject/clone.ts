/** structuredClone, where a plugin uses it: the engine has none. */

export { default as structuredClone } from "core-js-pure/actual/structured-clone.js";
