/** Defines what a plugin adds to an agent. */

import { AnyplugError, Code, type HandlerContext, type Implementation, implement } from "@anyplug/core";
import type * as wire from "@anyplug/generated/anyplug/agent/v1/plugin.js";
import { AgentPlugin, type AgentPluginHandler } from "@anyplug/generated/anyplug/agent/v1/plugin_anyplug.js";
import { type Agent, CallingAgent, InitializingAgent, type RegisteringAgent } from "./agent.js";
import { type Json, type JsonObject, parseJson, parseObject, printJson } from "./json.js";
import { streamed } from "./streamed.js";
import {
  type ActionResult,
  type Content,
  contentMessage,
  type Memory,
  memoryOf,
  type ProviderResult,
  providerMessage,
  resultMessage,
  type State,
  stateOf,
} from "./values.js";

/** What an action or an evaluator is called with. */
export interface Invocation {
  readonly message: Memory;
  readonly state: State;
  readonly options: JsonObject;
  /** What was answered before, oldest first. */
  readonly responses: readonly Memory[];
  readonly agent: Agent;
  /** Says something now, before the result. */
  readonly say: (content: Content) => void;
}

/** What an action or an evaluator is validated with, and a provider asked. */
export interface Question {
  readonly message: Memory;
  readonly state: State;
  readonly agent: Agent;
}

type Awaitable<T> = T | Promise<T>;

/** Something that an agent can do. */
export interface Action {
  readonly name: string;
  readonly description?: string | undefined;
  /** Other names by which a model may ask for it. */
  readonly similes?: readonly string[] | undefined;
  readonly examples?: readonly Json[] | undefined;
  readonly priority?: number | undefined;
  readonly tags?: readonly string[] | undefined;
  /** A JSON Schema. */
  readonly parameters?: JsonObject | undefined;
  /** Whether it makes sense for the message. Default: it does. */
  readonly validate?: ((question: Question) => Awaitable<boolean>) | undefined;
  /** Acts. Without a result it succeeded. What it throws is the result's error. */
  readonly handler: (invocation: Invocation) => Awaitable<ActionResult | undefined> | Awaitable<void>;
}

/** Something that an agent can know. */
export interface Provider {
  readonly name: string;
  readonly description?: string | undefined;
  /** Asked only when it is named. */
  readonly dynamic?: boolean | undefined;
  /** The lower, the earlier in the state's text. */
  readonly position?: number | undefined;
  /** Not listed to a model, and asked only when it is named. */
  readonly private?: boolean | undefined;
  readonly get: (question: Question) => Awaitable<ProviderResult>;
}

/** Something that looks at a message after it was answered. */
export interface Evaluator {
  readonly name: string;
  readonly description?: string | undefined;
  readonly similes?: readonly string[] | undefined;
  /** Also when the agent did not answer. */
  readonly alwaysRun?: boolean | undefined;
  readonly examples?: readonly Json[] | undefined;
  /** Whether it wants to look. Default: it does. */
  readonly validate?: ((question: Question) => Awaitable<boolean>) | undefined;
  readonly handler: (invocation: Invocation) => Awaitable<ActionResult | undefined> | Awaitable<void>;
}

/** Something that runs until it is stopped. */
export interface AgentService {
  readonly type: string;
  readonly description?: string | undefined;
  readonly start: (agent: Agent) => Awaitable<void>;
  readonly stop: (agent: Agent) => Awaitable<void>;
}

/** A request to a route. */
export interface RouteRequest {
  readonly path: string;
  readonly method: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** The answer of a route. A body that is neither text nor bytes is sent as JSON. */
export interface RouteResponse {
  /** Default: 200. */
  readonly status?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Uint8Array | Json | undefined;
}

/** An HTTP route. */
export interface Route {
  /** Below the plugin's own: "/status" of the plugin "weather" is "/weather/status". ":name" stands for a segment. */
  readonly path: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "STATIC";
  readonly name?: string | undefined;
  readonly public?: boolean | undefined;
  readonly multipart?: boolean | undefined;
  readonly handler: (request: RouteRequest, agent: Agent) => Awaitable<RouteResponse>;
}

/** Takes an event. */
export type EventHandler = (payload: Json, agent: Agent) => Awaitable<void>;

/** Runs a model: `give` takes the pieces of text as they come, the whole answer is returned. */
export type ModelHandler = (
  params: Json,
  call: { readonly agent: Agent; readonly give: (text: string) => void },
) => Awaitable<Json>;

/** What a plugin adds to an agent. */
export interface AgentPluginDefinition {
  readonly name: string;
  readonly description?: string | undefined;
  /** Plugins with a higher one are asked first. Default: 0. */
  readonly priority?: number | undefined;
  /** Names of plugins that are registered before this one. */
  readonly dependencies?: readonly string[] | undefined;
  /** Called once, before all else. What it throws refuses the registration. */
  readonly init?: ((config: JsonObject, agent: RegisteringAgent) => Awaitable<void>) | undefined;
  readonly actions?: readonly Action[] | undefined;
  readonly providers?: readonly Provider[] | undefined;
  readonly evaluators?: readonly Evaluator[] | undefined;
  readonly services?: readonly AgentService[] | undefined;
  readonly routes?: readonly Route[] | undefined;
  /** Handlers by the type of the event; they are called one after the other. */
  readonly events?: Readonly<Record<string, readonly EventHandler[]>> | undefined;
  /** By the type of the model. */
  readonly models?: Readonly<Record<string, ModelHandler>> | undefined;
}

/**
 * Returns what serves the plugin to an agent: give it to `definePlugin` of the SDK.
 *
 * ```ts
 * const weather = agentPlugin({ name: "weather", actions: [{ name: "FORECAST", handler: async ({ message }) => … }] });
 * export const plugin = definePlugin({ name: "weather", version: "1.0.0", services: [weather] });
 * ```
 *
 * @throws AnyplugError INVALID_ARGUMENT when a name comes twice.
 */
export function agentPlugin(definition: AgentPluginDefinition): Implementation {
  return implement(AgentPlugin, new DefinedPlugin(definition));
}

class DefinedPlugin implements AgentPluginHandler {
  readonly #definition: AgentPluginDefinition;
  readonly #actions: ReadonlyMap<string, Action>;
  readonly #providers: ReadonlyMap<string, Provider>;
  readonly #evaluators: ReadonlyMap<string, Evaluator>;
  readonly #services: ReadonlyMap<string, AgentService>;
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #events: ReadonlyMap<string, readonly EventHandler[]>;
  readonly #models: ReadonlyMap<string, ModelHandler>;

  constructor(definition: AgentPluginDefinition) {
    const { actions, providers, evaluators, services, routes, events, models } = definition;
    const named = (value: { readonly name: string }): string => value.name;
    this.#definition = definition;
    this.#actions = byKey("action", actions, named);
    this.#providers = byKey("provider", providers, named);
    this.#evaluators = byKey("evaluator", evaluators, named);
    this.#services = byKey("service", services, ({ type }) => type);
    this.#routes = byKey("route", routes, ({ method, path }) => `${method} ${path}`);
    this.#events = new Map(Object.entries(events ?? {}));
    this.#models = new Map(Object.entries(models ?? {}));
  }

  describe() {
    const { name, description, priority, dependencies = [] } = this.#definition;
    return {
      name,
      description,
      priority,
      dependencies: [...dependencies],
      actions: [...this.#actions.values()].map(({ examples, parameters, similes, tags, ...rest }) => ({
        ...rest,
        similes: similes && [...similes],
        tags: tags && [...tags],
        examplesJson: printJson(examples, "examples"),
        parametersJson: printJson(parameters, "parameters"),
      })),
      providers: [...this.#providers.values()],
      evaluators: [...this.#evaluators.values()].map(({ examples, similes, ...rest }) => ({
        ...rest,
        similes: similes && [...similes],
        examplesJson: printJson(examples, "examples"),
      })),
      services: [...this.#services.values()],
      routes: [...this.#routes.values()],
      events: [...this.#events.keys()],
      models: [...this.#models.keys()],
    };
  }

  async init({ configJson, agentId, agentName }: wire.InitRequest, context: HandlerContext) {
    const agent = new InitializingAgent(context, agentId, agentName);
    await this.#definition.init?.(parseObject(configJson, "config_json") ?? {}, agent);
    return {};
  }

  async validateAction(request: wire.ValidateActionRequest, context: HandlerContext) {
    const { validate } = this.#find("action", this.#actions, request.name);
    return { valid: validate === undefined || (await validate(question(request, new CallingAgent(context)))) };
  }

  invokeAction(request: wire.InvokeActionRequest, context: HandlerContext) {
    const { handler } = this.#find("action", this.#actions, request.name);
    return invoke(handler, request, new CallingAgent(context));
  }

  async getProvider(request: wire.GetProviderRequest, context: HandlerContext) {
    const { get } = this.#find("provider", this.#providers, request.name);
    return { result: providerMessage(await get(question(request, new CallingAgent(context)))) };
  }

  async validateEvaluator(request: wire.ValidateEvaluatorRequest, context: HandlerContext) {
    const { validate } = this.#find("evaluator", this.#evaluators, request.name);
    return { valid: validate === undefined || (await validate(question(request, new CallingAgent(context)))) };
  }

  invokeEvaluator(request: wire.InvokeEvaluatorRequest, context: HandlerContext) {
    const { handler } = this.#find("evaluator", this.#evaluators, request.name);
    return invoke(handler, request, new CallingAgent(context));
  }

  async startService({ type }: wire.StartServiceRequest, context: HandlerContext) {
    await this.#find("service", this.#services, type).start(new CallingAgent(context));
    return {};
  }

  async stopService({ type }: wire.StopServiceRequest, context: HandlerContext) {
    await this.#find("service", this.#services, type).stop(new CallingAgent(context));
    return {};
  }

  async handleRoute(request: wire.HandleRouteRequest, context: HandlerContext) {
    const { path, method, params, query, headers, body } = request;
    const route = this.#find("route", this.#routes, `${method} ${path}`);
    const pairs = (fields: readonly wire.HttpField[]) =>
      fields.map(({ name, value }): [string, string] => [name, value]);
    const answer = await route.handler(
      {
        path,
        method,
        params: Object.fromEntries(params),
        query: new URLSearchParams(pairs(query)),
        headers: new Headers(pairs(headers)),
        body,
      },
      new CallingAgent(context),
    );
    return routeMessage(answer);
  }

  async handleEvent({ type, payloadJson }: wire.HandleEventRequest, context: HandlerContext) {
    const payload = parseJson(payloadJson, "payload_json") ?? null;
    for (const handler of this.#find("event", this.#events, type)) await handler(payload, new CallingAgent(context));
    return {};
  }

  async *generate({ model, paramsJson }: wire.GenerateRequest, context: HandlerContext) {
    const handler = this.#find("model", this.#models, model);
    const params = parseJson(paramsJson, "params_json") ?? null;
    yield* streamed<GenerateEvent>(async (give) => {
      const onText = (text: string) => give({ event: { $case: "text", text } });
      const result = await handler(params, { agent: new CallingAgent(context), give: onText });
      return { event: { $case: "resultJson", resultJson: printJson(result, "result") } };
    });
  }

  #find<T>(what: string, among: ReadonlyMap<string, T>, name: string): T {
    const found = among.get(name);
    if (found !== undefined) return found;
    const known = among.size === 0 ? "it has none" : `it has ${[...among.keys()].join(", ")}`;
    throw new AnyplugError(Code.NotFound, `plugin "${this.#definition.name}" has no ${what} "${name}"; ${known}`);
  }
}

type GenerateEvent = { readonly event: NonNullable<wire.GenerateResponse["event"]> };
type InvokeEvent = { readonly event: NonNullable<wire.InvokeActionResponse["event"]> };

function question(request: wire.ValidateActionRequest, agent: Agent): Question {
  return { message: memoryOf(request.message), state: stateOf(request.state), agent };
}

function invoke(
  handler: Action["handler"],
  request: wire.InvokeActionRequest,
  agent: Agent,
): AsyncGenerator<InvokeEvent, void, undefined> {
  return streamed<InvokeEvent>(async (give) => {
    const result = await handler({
      ...question(request, agent),
      options: parseObject(request.optionsJson, "options_json") ?? {},
      responses: request.responses.map(memoryOf),
      say: (content) => give({ event: { $case: "content", content: contentMessage(content) } }),
    });
    return { event: { $case: "result", result: resultMessage(result ?? { success: true }) } };
  });
}

function routeMessage({ status, headers = {}, body }: RouteResponse) {
  const fields = Object.entries(headers).map(([name, value]) => ({ name, value }));
  if (body instanceof Uint8Array) return { status, headers: fields, body };
  const isText = typeof body === "string" || body === undefined;
  const hasType = fields.some(({ name }) => name.toLowerCase() === "content-type");
  if (!isText && !hasType) fields.push({ name: "content-type", value: "application/json" });
  return { status, headers: fields, body: new TextEncoder().encode(isText ? body : printJson(body, "body")) };
}

function byKey<T>(what: string, values: readonly T[] | undefined, key: (value: T) => string): ReadonlyMap<string, T> {
  const result = new Map<string, T>();
  for (const value of values ?? []) {
    const name = key(value);
    if (result.has(name)) throw new AnyplugError(Code.InvalidArgument, `${what} "${name}" is defined twice`);
    result.set(name, value);
  }
  return result;
}
