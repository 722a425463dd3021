/** A plugin that speaks ElizaOS's line protocol, as a plugin of an agent. */

import type {
  ActionResult,
  Agent,
  AgentPluginDefinition,
  Invocation,
  JsonObject,
  Question,
} from "@anyplug/contracts/agent";
import { isObject } from "@anyplug/contracts/agent";
import { AnyplugError, Code } from "@anyplug/core";
import { descriptionOf } from "./manifest.js";
import { bodyFrom, providerFrom, resultFrom } from "./values.js";

/** The two protocols: messages with a type, and calls with a method. */
export type Dialect = "messages" | "methods";

/** Sends a request of that type with these members, and returns the answer. */
export type Ask = (agent: Agent, type: string, members: JsonObject) => Promise<JsonObject>;

/** Returns the definition of a plugin with this manifest: what it does is asked over the line. */
export function drivenPlugin(manifest: JsonObject, ask: Ask, dialect: Dialect): AgentPluginDefinition {
  const description = descriptionOf(manifest);
  const parsed = (text: string) => (text === "" ? undefined : JSON.parse(text));
  const invoke = (type: string, key: string, name: string) => async (invocation: Invocation) => {
    const { message: memory, state, options, agent } = invocation;
    return resultOrNone(await ask(agent, type, { [key]: name, memory, state, options }));
  };
  return {
    name: description.name,
    description: description.description,
    priority: description.priority,
    dependencies: description.dependencies,
    async init(config, agent) {
      const { success, error } = await ask(agent, "plugin.init", { config });
      if (success !== false) return;
      throw new AnyplugError(
        Code.FailedPrecondition,
        `it refused its configuration: ${error ?? "no reason was given"}`,
      );
    },
    actions: description.actions.map(({ examplesJson, parametersJson, ...action }) => ({
      ...action,
      examples: parsed(examplesJson),
      parameters: parsed(parametersJson),
      validate: async ({ message: memory, state, agent }: Question) =>
        (await ask(agent, "action.validate", { action: action.name, memory, state }))["valid"] === true,
      handler: invoke("action.invoke", "action", action.name),
    })),
    providers: description.providers.map((provider) => ({
      ...provider,
      get: async ({ message: memory, state, agent }: Question) =>
        providerFrom((await ask(agent, "provider.get", { provider: provider.name, memory, state }))["result"]),
    })),
    evaluators: description.evaluators.map(({ examplesJson, ...evaluator }) => ({
      ...evaluator,
      examples: parsed(examplesJson),
      // Of the two protocols only that of methods asks an evaluator first.
      validate:
        dialect === "messages"
          ? undefined
          : async ({ message: memory, state, agent }: Question) =>
              (await ask(agent, "evaluator.validate", { evaluator: evaluator.name, memory, state }))["valid"] === true,
      handler: invoke("evaluator.invoke", "evaluator", evaluator.name),
    })),
    services: description.services.map(({ type, description: about }) => {
      // Peers read one of the two spellings.
      const members = { service: type, serviceType: type };
      return {
        type,
        description: about,
        start: async (agent: Agent) => succeeded(await ask(agent, "service.start", members)),
        stop: async (agent: Agent) => succeeded(await ask(agent, "service.stop", members)),
      };
    }),
    routes: description.routes.map((route) => ({
      ...route,
      method: route.method as "GET",
      handler: async ({ path, method, params, query, headers, body }, agent) => {
        const request = {
          method,
          params,
          query: Object.fromEntries(query),
          headers: Object.fromEntries(headers),
          body: bodyFrom(body),
        };
        // Flat for some peers, in an object for others.
        return answerFrom(await ask(agent, "route.handle", { path, ...request, request: { path, ...request } }));
      },
    })),
  };
}

function resultOrNone(answer: JsonObject): ActionResult | undefined {
  return resultFrom(answer["result"]);
}

function succeeded({ success, error }: JsonObject): void {
  if (success === false)
    throw new AnyplugError(Code.Unknown, typeof error === "string" ? error : "no reason was given");
}

function answerFrom(answer: JsonObject) {
  // `route.result` has it inside, `route.response` is it.
  const inner = isObject(answer["result"]) ? answer["result"] : answer;
  const { status, headers, body } = inner;
  return {
    status: typeof status === "number" ? status : undefined,
    headers: isObject(headers)
      ? Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
      : undefined,
    body: body ?? undefined,
  };
}
