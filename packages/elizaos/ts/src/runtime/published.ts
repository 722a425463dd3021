/** A plugin that was written for ElizaOS's TypeScript runtime, as a plugin of any agent: unchanged. */

import type {
  Action,
  Agent,
  AgentPluginDefinition,
  Json,
  JsonObject,
  ProviderResult,
  Question,
} from "@anyplug/contracts/agent";
import { isObject } from "@anyplug/contracts/agent";
import { AnyplugError, Code } from "@anyplug/core";
import { providerFrom, resultFrom } from "../values.js";
import { parameterSchema } from "./parameters.js";
import { agentAsRuntime, type KnownToAll } from "./proxy.js";
import type { ElizaAction, ElizaEvaluator, ElizaPlugin, ElizaResponse, ElizaRoute, Loose } from "./types.js";

/**
 * Returns the plugin as an agent registers it. What it asks of its runtime is asked of the agent: settings are those of its configuration, since ElizaOS reads them at once.
 *
 * What the agent has nothing for is UNIMPLEMENTED by the name that the plugin called.
 */
export function publishedPlugin(plugin: ElizaPlugin): AgentPluginDefinition {
  const known: KnownToAll = { agentId: "", agentName: "agent", settings: { ...plugin.config }, services: new Map() };
  const {
    name,
    description,
    priority,
    dependencies,
    actions,
    providers,
    evaluators,
    services,
    routes,
    events,
    models,
  } = plugin;
  const runtime = (agent: Agent) => agentAsRuntime(agent, known);
  return {
    name,
    description,
    priority,
    dependencies,
    async init(config, agent) {
      known.agentId = agent.id;
      known.agentName = agent.name;
      known.settings = { ...plugin.config, ...config };
      const texts = Object.entries(known.settings).map(([key, value]): [string, string] => [key, settingText(value)]);
      await plugin.init?.(Object.fromEntries(texts), runtime(agent));
    },
    actions: actions?.map((action) => ({
      name: action.name,
      description: action.description,
      similes: action.similes,
      examples: action.examples,
      priority: action.priority,
      tags: action.tags,
      parameters: parameterSchema(json(action.parameters)),
      ...invoked(action, runtime),
    })),
    providers: providers?.map((provider) => ({
      name: provider.name,
      description: provider.description,
      dynamic: provider.dynamic,
      position: provider.position,
      private: provider.private,
      get: async ({ message, state, agent }): Promise<ProviderResult> =>
        providerFrom(json(await provider.get(runtime(agent), message, state))),
    })),
    evaluators: evaluators?.map((evaluator) => ({
      name: evaluator.name,
      description: evaluator.description,
      similes: evaluator.similes,
      alwaysRun: evaluator.alwaysRun,
      examples: evaluator.examples,
      ...invoked(evaluator, runtime),
    })),
    services: services?.map((service) => ({
      type: service.serviceType,
      start: async (agent) => {
        known.services.set(service.serviceType, await service.start(runtime(agent)));
      },
      stop: async () => {
        const running = known.services.get(service.serviceType);
        known.services.delete(service.serviceType);
        await running?.stop();
      },
    })),
    routes: routes?.map((route) => ({
      path: route.path,
      method: route.type,
      name: route.name,
      public: route.public,
      multipart: route.isMultipart,
      handler: (request, agent) => handled(route, request, runtime(agent)),
    })),
    events:
      events &&
      Object.fromEntries(
        Object.entries(events).map(([type, handlers]) => [
          type,
          handlers.map((handler) => async (payload: Json, agent: Agent) => {
            // ElizaOS gives each event its runtime.
            const whole = isObject(payload) ? { ...payload, runtime: runtime(agent) } : payload;
            await handler(whole as never);
          }),
        ]),
      ),
    models:
      models &&
      Object.fromEntries(
        Object.entries(models).map(([type, model]) => [
          type,
          async (params: Json, { agent, give }) => {
            const given = isObject(params) ? { ...params, onStreamChunk: async (text: string) => give(text) } : params;
            return json(await model(runtime(agent), given as never));
          },
        ]),
      ),
  };
}

function invoked(
  { validate, handler }: ElizaAction | ElizaEvaluator,
  runtime: (agent: Agent) => ReturnType<typeof agentAsRuntime>,
): { validate: (question: Question) => Promise<boolean>; handler: Action["handler"] } {
  return {
    validate: ({ message, state, agent }) => validate(runtime(agent), message, state),
    async handler({ message, state, options, responses, agent, say }) {
      const callback = async (content: Loose) => {
        say(json(content) as JsonObject);
        return [];
      };
      return resultFrom(json(await handler(runtime(agent), message, state, options, callback, [...responses])));
    },
  };
}

async function handled(
  { path, handler }: ElizaRoute,
  request: {
    method: string;
    params: Readonly<Record<string, string>>;
    query: URLSearchParams;
    headers: Headers;
    body: Uint8Array;
  },
  runtime: ReturnType<typeof agentAsRuntime>,
) {
  if (handler === undefined) throw new AnyplugError(Code.Unimplemented, `the route ${path} has no handler`);
  const text = new TextDecoder().decode(request.body);
  const isJson = request.headers.get("content-type")?.includes("json") ?? false;
  const answer = new CollectedResponse();
  await handler(
    {
      ...request,
      query: Object.fromEntries(request.query),
      headers: Object.fromEntries(request.headers),
      body: isJson && text !== "" ? JSON.parse(text) : text,
      path,
      url: path,
    },
    answer,
    runtime,
  );
  return { status: answer.code, headers: answer.headers, body: answer.body };
}

class CollectedResponse implements ElizaResponse {
  code = 200;
  body: string | Uint8Array | Json | undefined;
  headersSent = false;
  readonly headers: Record<string, string> = {};

  status(code: number): this {
    this.code = code;
    return this;
  }

  json(data: unknown): this {
    this.headers["content-type"] ??= "application/json";
    return this.send(JSON.stringify(data));
  }

  send(data: unknown): this {
    this.body = typeof data === "string" || data instanceof Uint8Array ? data : json(data);
    return this.end();
  }

  end(): this {
    this.headersSent = true;
    return this;
  }

  setHeader(name: string, value: string | string[]): this {
    this.headers[name.toLowerCase()] = [value].flat().join(", ");
    return this;
  }
}

function settingText(value: Json | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

function json(value: unknown): Json {
  const text = JSON.stringify(value, (_, member) => {
    if (member instanceof Error) return member.message;
    return typeof member === "bigint" ? String(member) : member;
  });
  return text === undefined ? null : (JSON.parse(text) as Json);
}
