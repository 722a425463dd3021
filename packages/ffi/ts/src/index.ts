/** Loads plugins from shared libraries into this process, by the C ABI of anyplug.h; and calls those that have ElizaOS's. */

export { ElizaosLibrary } from "./elizaos.js";
export { FfiInstance } from "./instance.js";
export { relayLibrary } from "./relay.js";
