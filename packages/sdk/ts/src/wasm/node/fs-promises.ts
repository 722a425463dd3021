/** `node:fs/promises` in a WebAssembly module. */

export { access, readFile } from "./fs.js";
