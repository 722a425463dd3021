/** Memories and states as they come over a line protocol: free JSON, of which what is known must be of its kind. */

import {
  type ActionResult,
  isObject,
  type Json,
  type JsonObject,
  type Memory,
  type ProviderResult,
  type State,
} from "@anyplug/contracts/agent";
import { AnyplugError, Code } from "@anyplug/core";

type Kind = "text" | "number" | "flag" | "object" | "list" | "texts" | "numbers";

const content: Readonly<Record<string, Kind>> = {
  text: "text",
  thought: "text",
  actions: "texts",
  providers: "texts",
  source: "text",
  target: "text",
  url: "text",
  inReplyTo: "text",
  channelType: "text",
  attachments: "list",
  data: "object",
};

const memory: Readonly<Record<string, Kind>> = {
  id: "text",
  entityId: "text",
  agentId: "text",
  roomId: "text",
  worldId: "text",
  createdAt: "number",
  embedding: "numbers",
  unique: "flag",
  similarity: "number",
  metadata: "object",
};

const result: Readonly<Record<string, Kind>> = { text: "text", values: "object", data: "object" };

/** Returns the memory in a message. INVALID_ARGUMENT names what is wrong in it. */
export function memoryFrom(value: Json | undefined): Memory {
  if (value === undefined || value === null) return { content: {} };
  const known = checked(value, memory, "memory");
  // Some write a content that is only text as that text.
  const inner = typeof known["content"] === "string" ? { text: known["content"] } : (known["content"] ?? {});
  return { ...known, content: checked(inner, content, "memory.content") };
}

/** Returns the state in a message; an empty one for null. */
export function stateFrom(value: Json | undefined): State {
  if (value === undefined || value === null) return { text: "", values: {}, data: {} };
  const { text = "", values = {}, data = {}, ...rest } = checked(value, result, "state");
  return { ...rest, text: text as string, values: values as JsonObject, data: data as JsonObject };
}

/** Returns what a provider answered. */
export function providerFrom(value: Json | undefined): ProviderResult {
  return value === undefined || value === null ? {} : checked(value, result, "result");
}

/** Returns what an action or an evaluator answered; undefined for null, which means that there is nothing to tell. */
export function resultFrom(value: Json | undefined): ActionResult | undefined {
  if (value === undefined || value === null) return undefined;
  const { success, error, ...rest } = checked(value, result, "result");
  const reason = error === undefined || typeof error === "string" ? error : JSON.stringify(error);
  return { ...rest, success: success !== false, error: reason };
}

/** The body of a request or an answer: JSON where it is JSON, else text. */
export function bodyFrom(body: Uint8Array): Json {
  if (body.length === 0) return null;
  const text = new TextDecoder().decode(body);
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** The object without the members that are null, of which those that are known are of their kind. */
function checked(value: Json, kinds: Readonly<Record<string, Kind>>, path: string): JsonObject {
  if (!isObject(value)) throw unexpected(path, "an object", value);
  const present = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  for (const [name, member] of present) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind !== undefined && !fits[kind](member)) throw unexpected(`${path}.${name}`, expected[kind], member);
  }
  return Object.fromEntries(present);
}

const fits: Readonly<Record<Kind, (value: Json | undefined) => boolean>> = {
  text: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  flag: (value) => typeof value === "boolean",
  object: isObject,
  list: Array.isArray,
  texts: (value) => Array.isArray(value) && value.every((one) => typeof one === "string"),
  numbers: (value) => Array.isArray(value) && value.every((one) => typeof one === "number"),
};

const expected: Readonly<Record<Kind, string>> = {
  text: "text",
  number: "a number",
  flag: "true or false",
  object: "an object",
  list: "a list",
  texts: "a list of texts",
  numbers: "a list of numbers",
};

function unexpected(path: string, wanted: string, value: Json | undefined): AnyplugError {
  const shown = JSON.stringify(value) ?? String(value);
  const short = shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
  return new AnyplugError(Code.InvalidArgument, `${path}: expected ${wanted}, got ${short}`);
}
