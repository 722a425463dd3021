/**
 * proto3 JSON: messages as JSON, by the descriptors that generated code carries.
 *
 * ```ts
 * const types = new JsonTypes([Greeter]);
 * types.toJson(GreetRequest, { name: "Ada" });           // {"name":"Ada"}
 * types.jsonToBytes("greeter.v1.GreetRequest", '{"name":"Ada"}');
 * ```
 */

export type { JsonReadOptions, JsonWriteOptions } from "./options.js";
export { type Json, JsonNumber, JsonObject, jsonText } from "./text/json.js";
export { parseJson } from "./text/parse.js";
export { type JsonMessage, type JsonSource, JsonTypes } from "./types.js";
