/** Buffer, where a plugin uses it. */

export { Buffer } from "buffer/index.js";
