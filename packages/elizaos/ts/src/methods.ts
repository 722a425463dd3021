/** The second protocol: `{"id":1,"method":"invokeAction","params":{…}}` and `{"id":1,"result":…}` or `{"id":1,"error":"text"}`. */

import type { Json, JsonObject } from "@anyplug/contracts/agent";
import { AnyplugError, Code } from "@anyplug/core";

interface Method {
  readonly method: string;
  /** The member of the message that holds the name of what is asked. */
  readonly named?: string;
  /** The member of the answering message that its result is. */
  readonly answer: string;
}

/** By the type of the message of the first protocol that means the same. */
const methods: Readonly<Record<string, Method>> = {
  "plugin.init": { method: "init", answer: "success" },
  "action.validate": { method: "validateAction", named: "action", answer: "valid" },
  "action.invoke": { method: "invokeAction", named: "action", answer: "result" },
  "provider.get": { method: "getProvider", named: "provider", answer: "result" },
  "evaluator.validate": { method: "validateEvaluator", named: "evaluator", answer: "valid" },
  "evaluator.invoke": { method: "invokeEvaluator", named: "evaluator", answer: "result" },
};

/** Returns the call that a message means. UNIMPLEMENTED when this protocol has none. */
export function callOf(type: string, members: JsonObject): { method: string; params: JsonObject } {
  const found = Object.hasOwn(methods, type) ? methods[type] : undefined;
  if (found === undefined) {
    throw new AnyplugError(Code.Unimplemented, `the plugin's protocol, of methods, has nothing for ${type}`);
  }
  const { method, named } = found;
  if (named === undefined) return { method, params: members };
  const { [named]: name, ...rest } = members;
  return { method, params: { name, ...rest } };
}

/** Returns the answer to a call as the message of the first protocol has it. */
export function methodAnswer(type: string, { result }: JsonObject): JsonObject {
  const name = methods[type]?.answer ?? "result";
  if (name === "success") return { success: result !== false };
  // Some answer {"valid":true} where others answer true.
  const inner =
    name === "valid" && typeof result === "object" && result !== null && "valid" in result ? result["valid"] : result;
  return { [name]: inner };
}

/** Returns the message of the first protocol that a call means, or undefined when there is none. */
export function messageOf(method: string, params: JsonObject): JsonObject | undefined {
  const found = Object.entries(methods).find(([, one]) => one.method === method);
  if (found === undefined) return undefined;
  const [type, { named }] = found;
  const { name, ...rest } = params;
  return { type, ...rest, ...(named === undefined ? {} : { [named]: name }) };
}

/** Returns the result of a call, of the answer that the first protocol has. */
export function resultIn(method: string, answer: JsonObject): Json {
  const found = Object.values(methods).find((one) => one.method === method);
  return answer[found?.answer ?? "result"] ?? null;
}
