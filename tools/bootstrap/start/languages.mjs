import { join } from "node:path";
import process from "node:process";

/** The languages of hosts and plugins, in the order of the matrix. */
export const LANGUAGES = ["typescript", "python", "rust"];

/** The transports that `npm start` can ask for. */
export const TRANSPORTS = ["direct", "process", "stdio", "wasm", "ffi"];

/** The languages of plugins that are WebAssembly modules, too. */
export const WASM_LANGUAGES = ["typescript", "rust"];

/** The languages of plugins that are shared libraries, too. */
export const FFI_LANGUAGES = ["rust"];

/** What every ELIZA answers to the first line of the conversation in Weizenbaum's paper. */
export const FIRST_REPLY = "IN WHAT WAY";

/**
 * @param {string} host the language of the host
 * @param {string} root the root of the repository
 * @returns {[string, ...string[]]} the command of the small host program in that language
 */
export function hostCommand(host, root) {
  const commands = {
    typescript: [process.execPath, join(root, "examples", "eliza", "ts", "dist", "main.js")],
    python: [join(root, ".venv", "bin", "python"), join(root, "examples", "eliza", "python", "main.py")],
    rust: [join(root, "target", "fast", "eliza-host")],
  };
  return commands[host];
}
