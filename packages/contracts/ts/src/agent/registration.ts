/** A plugin that an agent has registered: what it has, and typed calls of it. */

import type { CallOptions, ServiceDescriptor } from "@anyplug/core";
import type {
  DescribeResponse,
  HttpField,
  InvokeActionResponse,
  RouteDescription,
} from "@anyplug/generated/anyplug/agent/v1/plugin.js";
import { AgentPlugin, type AgentPluginClient } from "@anyplug/generated/anyplug/agent/v1/plugin_anyplug.js";
import { withoutResult } from "./agent.js";
import { type Json, type JsonObject, parseJson, printJson } from "./json.js";
import {
  type ActionResult,
  type Content,
  contentOf,
  type Memory,
  memoryMessage,
  type ProviderResult,
  providerResultOf,
  resultOf,
  type State,
  stateMessage,
} from "./values.js";

/** Something whose services can be called. */
export interface AgentPeer {
  client<Client>(service: ServiceDescriptor<Client, unknown>): Client;
}

/** What an action or an evaluator is invoked with. */
export interface InvokeArguments {
  readonly message: Memory;
  readonly state: State;
  readonly options?: JsonObject | undefined;
  readonly responses?: readonly Memory[] | undefined;
  /** Takes what is said on the way. */
  readonly onContent?: ((content: Content) => void) | undefined;
}

export type { RouteDescription };

/** What one of the plugins has, and which. */
export interface Owned<T> {
  readonly plugin: Registration;
  readonly description: T;
}

/** What a route answered. */
export interface RouteAnswer {
  readonly status: number;
  readonly headers: readonly HttpField[];
  readonly body: Uint8Array;
}

/** A registered plugin. Its calls fail as calls do: with an AnyplugError. */
export class Registration {
  /** What it says that it has. */
  readonly description: DescribeResponse;
  /** The types of its services that run. */
  readonly running = new Set<string>();
  readonly #client: AgentPluginClient;

  private constructor(description: DescribeResponse, client: AgentPluginClient) {
    this.description = description;
    this.#client = client;
  }

  /** Asks the plugin what it has. */
  static async of(peer: AgentPeer, options?: CallOptions): Promise<Registration> {
    const client = peer.client(AgentPlugin);
    return new Registration(await client.describe({}, options), client);
  }

  get name(): string {
    return this.description.name;
  }

  async init(agent: { readonly id: string; readonly name: string }, config: JsonObject, options?: CallOptions) {
    const request = { agentId: agent.id, agentName: agent.name, configJson: printJson(config, "config") };
    await this.#client.init(request, options);
  }

  async validateAction(name: string, message: Memory, state: State, options?: CallOptions): Promise<boolean> {
    return (await this.#client.validateAction(question(name, message, state), options)).valid;
  }

  invokeAction(name: string, args: InvokeArguments, options?: CallOptions): Promise<ActionResult> {
    return invoked(`action ${name}`, this.#client.invokeAction(invocation(name, args), options), args);
  }

  async getProvider(name: string, message: Memory, state: State, options?: CallOptions): Promise<ProviderResult> {
    return providerResultOf((await this.#client.getProvider(question(name, message, state), options)).result);
  }

  async validateEvaluator(name: string, message: Memory, state: State, options?: CallOptions): Promise<boolean> {
    return (await this.#client.validateEvaluator(question(name, message, state), options)).valid;
  }

  invokeEvaluator(name: string, args: InvokeArguments, options?: CallOptions): Promise<ActionResult> {
    return invoked(`evaluator ${name}`, this.#client.invokeEvaluator(invocation(name, args), options), args);
  }

  async startService(type: string, options?: CallOptions): Promise<void> {
    await this.#client.startService({ type }, options);
    this.running.add(type);
  }

  async stopService(type: string, options?: CallOptions): Promise<void> {
    this.running.delete(type);
    await this.#client.stopService({ type }, options);
  }

  async handleRoute(
    request: Parameters<AgentPluginClient["handleRoute"]>[0],
    options?: CallOptions,
  ): Promise<RouteAnswer> {
    const { status, headers, body } = await this.#client.handleRoute(request, options);
    return { status: status || 200, headers, body };
  }

  async handleEvent(type: string, payload: Json, options?: CallOptions): Promise<void> {
    await this.#client.handleEvent({ type, payloadJson: printJson(payload, "payload") }, options);
  }

  async generate(model: string, params: Json, onText: (text: string) => void, options?: CallOptions): Promise<Json> {
    const request = { model, paramsJson: printJson(params, "params") };
    for await (const { event } of this.#client.generate(request, options)) {
      if (event?.$case === "text") onText(event.text);
      if (event?.$case === "resultJson") return parseJson(event.resultJson, "result_json") ?? null;
    }
    throw withoutResult(`the model ${model}`);
  }
}

function question(name: string, message: Memory, state: State) {
  return { name, message: memoryMessage(message), state: stateMessage(state) };
}

function invocation(name: string, { message, state, options, responses = [] }: InvokeArguments) {
  const optionsJson = printJson(options, "options");
  return { ...question(name, message, state), optionsJson, responses: responses.map(memoryMessage) };
}

async function invoked(
  what: string,
  events: AsyncIterable<InvokeActionResponse>,
  { onContent }: InvokeArguments,
): Promise<ActionResult> {
  for await (const { event } of events) {
    if (event?.$case === "content") onContent?.(contentOf(event.content));
    if (event?.$case === "result") return resultOf(event.result);
  }
  throw withoutResult(what);
}
