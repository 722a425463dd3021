/** Requests, notifications and answers of JSON-RPC 2.0. */

import { type Json, JsonNumber, JsonObject, jsonText } from "@anyplug/json";

/** What a JSON text means. An id is kept as it was written: `1`, `"a"`, `null`. */
export type Message =
  /** Without an id it is a notification: nothing answers it. */
  | {
      readonly kind: "request";
      readonly id: string | undefined;
      readonly method: string;
      readonly params: Json;
      readonly meta: Json;
    }
  | { readonly kind: "answer"; readonly id: string; readonly result: Json; readonly error: Json }
  | { readonly kind: "invalid"; readonly id: string; readonly why: string };

/** Returns what a value means; `null` stands for a member that is not there. */
export function messageOf(json: Json): Message {
  if (!(json instanceof JsonObject)) return invalid("null", "expected an object");
  const idValue = has(json, "id") ? member(json, "id") : undefined;
  const id = idValue === undefined ? undefined : idText(idValue);
  if (idValue !== undefined && id === undefined) return invalid("null", "id: expected a string, a number or null");
  const known = id ?? "null";
  if (member(json, "jsonrpc") !== "2.0") return invalid(known, 'jsonrpc: expected "2.0"');
  if (!has(json, "method")) {
    if (!has(json, "result") && !has(json, "error")) return invalid(known, "expected a method, a result or an error");
    return { kind: "answer", id: known, result: member(json, "result"), error: member(json, "error") };
  }
  const method = member(json, "method");
  const params = member(json, "params");
  if (typeof method !== "string") return invalid(known, "method: expected a string");
  if (params !== null && !(params instanceof JsonObject) && !isArray(params)) {
    return invalid(known, "params: expected an object or an array");
  }
  return { kind: "request", id, method, params, meta: member(json, "$meta") };
}

/** Returns the member of that name, `null` when there is none; of several the last. */
export function member(json: Json, name: string): Json {
  if (!(json instanceof JsonObject)) return null;
  return json.members.findLast(([one]) => one === name)?.[1] ?? null;
}

export function isArray(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}

/** Returns an id as it was written; undefined for what is none. */
export function idText(json: Json): string | undefined {
  const isId = json === null || typeof json === "string" || json instanceof JsonNumber;
  return isId ? jsonText(json) : undefined;
}

/** Returns a request as text; without an id, a notification. `params` and `meta` are JSON, or empty. */
export function requestText(id: string | undefined, method: string, params: string, meta = ""): string {
  const parts = [
    id === undefined ? "" : `,"id":${id}`,
    `,"method":${JSON.stringify(method)}`,
    params === "" ? "" : `,"params":${params}`,
    meta === "" ? "" : `,"$meta":${meta}`,
  ];
  return `{"jsonrpc":"2.0"${parts.join("")}}`;
}

/** Returns the answer to request `id`, of a result in JSON. */
export function resultText(id: string, result: string): string {
  return `{"jsonrpc":"2.0","id":${id},"result":${result}}`;
}

function has(json: JsonObject, name: string): boolean {
  return json.members.some(([one]) => one === name);
}

function invalid(id: string, why: string): Message {
  return { kind: "invalid", id, why };
}
