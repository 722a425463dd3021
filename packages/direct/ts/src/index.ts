/** anyplug transport within one process and one language: no serialization. */

export { connectDirect, type DirectOptions, type DirectSide } from "./link.js";
