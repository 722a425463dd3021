/** Loads plugins from shared libraries into this process, by the C ABI of anyplug.h. */

export { FfiInstance } from "./instance.js";
export { relayLibrary } from "./relay.js";
