/** ElizaOS's C ABI: functions that take and return JSON as C strings. What the messages of the line protocol mean there. */

import type { Json, JsonObject } from "@anyplug/contracts/agent";
import { isObject } from "@anyplug/contracts/agent";
import { AnyplugError, Code } from "@anyplug/core";

interface Meant {
  readonly function: string;
  /** The members of the message that it takes, in their order. A name is given as it is, all else as JSON. */
  readonly takes: readonly string[];
  /** The member of the answering message that its result is. */
  readonly answer: "success" | "valid" | "result";
}

/** By the type of the message that means the same. */
const functions: Readonly<Record<string, Meant>> = {
  "plugin.init": { function: "elizaos_init", takes: ["config"], answer: "success" },
  "action.validate": { function: "elizaos_validate_action", takes: ["action", "memory", "state"], answer: "valid" },
  "action.invoke": {
    function: "elizaos_invoke_action",
    takes: ["action", "memory", "state", "options"],
    answer: "result",
  },
  "provider.get": { function: "elizaos_get_provider", takes: ["provider", "memory", "state"], answer: "result" },
  "evaluator.validate": {
    function: "elizaos_validate_evaluator",
    takes: ["evaluator", "memory", "state"],
    answer: "valid",
  },
  "evaluator.invoke": {
    function: "elizaos_invoke_evaluator",
    takes: ["evaluator", "memory", "state"],
    answer: "result",
  },
};

/** What a function returned: an int, or the bytes of its text; undefined for a null pointer. */
export type Returned = number | Uint8Array | undefined;

/** Returns the call that a message means. UNIMPLEMENTED when this ABI has none. */
export function functionOf(type: string, members: JsonObject): { name: string; texts: string[] } {
  const { function: name, takes } = meantBy(type);
  const text = (value: Json | undefined) => (typeof value === "string" ? value : JSON.stringify(value ?? null));
  return { name, texts: takes.map((member) => text(members[member])) };
}

/** Returns what stands for the answer of a function that the library does not have: without one that validates, all is valid, and without one that initializes there is nothing to be done. */
export function withoutFunction(type: string, members: JsonObject): JsonObject | undefined {
  const { answer } = meantBy(type);
  const { config } = members;
  const isEmpty = !isObject(config) || Object.keys(config).length === 0;
  return answer === "valid" || (answer === "success" && isEmpty) ? { [answer]: true } : undefined;
}

/** Returns the answer of a function as the line protocol has it. INTERNAL when it is none. */
export function functionAnswer(type: string, returned: Returned): JsonObject {
  const { function: name, answer } = meantBy(type);
  if (answer === "result") {
    if (typeof returned === "object") return { result: jsonOf(name, returned) };
    // An action that has nothing to tell says "null".
    return { result: type === "action.invoke" ? { success: false, error: `${name} returned nothing` } : null };
  }
  const status = Number(returned);
  if (answer === "success")
    return status === 0 ? { success: true } : { success: false, error: `${name} returned ${status}` };
  if (status >= 0) return { valid: status !== 0 };
  throw new AnyplugError(Code.Internal, `${name} returned ${status}, and 0 or 1 are expected`);
}

/** Returns the JSON that a function returned. INTERNAL when it is none. */
export function jsonOf(name: string, bytes: Uint8Array): Json {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (cause) {
    throw new AnyplugError(Code.Internal, `${name} returned what is no UTF-8`, { cause });
  }
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    const why = AnyplugError.from(cause).message;
    throw new AnyplugError(Code.Internal, `${name} returned what is no JSON: ${why}`, { cause });
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function meantBy(type: string): Meant {
  const found = Object.hasOwn(functions, type) ? functions[type] : undefined;
  if (found !== undefined) return found;
  const message = `the plugin's interface, ElizaOS's C ABI, has nothing for ${type}`;
  throw new AnyplugError(Code.Unimplemented, message);
}
