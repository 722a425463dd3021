/** Entries found by key, metadata and vector, in memory. */

export { Database } from "./database.js";
export { plugin } from "./plugin.js";
