/** A plugin of ours in a runtime of ElizaOS. */

import {
  type ActionResult,
  type AgentBehind,
  type AgentPeer,
  agentServices,
  type InvokeArguments,
  type Json,
  type JsonObject,
  type Memories,
  type Memory,
  type MemoryQuery,
  type MemorySearch,
  Registration,
  type State,
  type StateQuery,
} from "@anyplug/contracts/agent";
import { AnyplugError, type CallOptions, Code, type Implementation } from "@anyplug/core";
import { memoryFrom, stateFrom } from "../values.js";
import { parameterList } from "./parameters.js";
import type {
  ElizaCallback,
  ElizaPlugin,
  ElizaResponse,
  ElizaRoute,
  ElizaRuntime,
  ElizaServiceClass,
  Loose,
} from "./types.js";

/** How a plugin is bridged. */
export interface BridgeOptions {
  /** Milliseconds that the plugin may take for one answer; a model has no limit. Default 30,000. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Registers plugins of ours with a runtime of ElizaOS: the plugin asks this runtime, and the runtime asks the plugin.
 *
 * ```ts
 * const bridge = new ElizaosBridge();
 * await using loaded = await loadPlugin("./plugins/weather", { services: bridge.services, grants: ["agent.settings"] });
 * await runtime.registerPlugin(await bridge.plugin(loaded));
 * ```
 */
export class ElizaosBridge {
  /** What the plugin may call: give it to `loadPlugin` as `services`. It is there once the plugin is registered. */
  readonly services: readonly Implementation[];
  readonly #options: CallOptions;
  #runtime: ElizaRuntime | undefined;

  constructor({ timeoutMs = 30_000 }: BridgeOptions = {}) {
    this.#options = { timeoutMs };
    this.services = agentServices(new BehindElizaos(() => this.#known()));
  }

  /** Asks the plugin what it has, and returns it as a plugin of ElizaOS. */
  async plugin(peer: AgentPeer): Promise<ElizaPlugin> {
    const registration = await Registration.of(peer, this.#options);
    const { name, description, priority, dependencies } = registration.description;
    return {
      name,
      description,
      priority,
      dependencies,
      init: async (config, runtime) => {
        this.#runtime = runtime;
        await registration.init(
          { id: runtime.agentId, name: String(runtime.character?.["name"] ?? "elizaos") },
          config,
          this.#options,
        );
      },
      ...parts(registration, this.#options),
    };
  }

  #known(): ElizaRuntime {
    if (this.#runtime !== undefined) return this.#runtime;
    throw new AnyplugError(Code.FailedPrecondition, "the plugin is not registered with a runtime of ElizaOS yet");
  }
}

function parts(plugin: Registration, options: CallOptions) {
  const { actions, providers, evaluators, services, routes, events, models } = plugin.description;
  const parsed = (text: string) => (text === "" ? undefined : JSON.parse(text));
  return {
    actions: actions.map(({ examplesJson, parametersJson, name, description, similes, priority, tags }) => ({
      name,
      description,
      similes,
      priority,
      tags,
      examples: parsed(examplesJson) ?? [],
      parameters: parameterList(parsed(parametersJson)),
      validate: (_: ElizaRuntime, message: Loose, state?: Loose) =>
        plugin.validateAction(name, memory(message), composed(state), options),
      handler: handling((invocation) => plugin.invokeAction(name, invocation, options)),
    })),
    providers: providers.map(({ name, description, dynamic, position, private: isPrivate }) => ({
      name,
      description,
      dynamic,
      position,
      private: isPrivate,
      get: (_: ElizaRuntime, message: Loose, state: Loose) =>
        plugin.getProvider(name, memory(message), composed(state), options),
    })),
    evaluators: evaluators.map(({ name, description, similes, alwaysRun, examplesJson }) => ({
      name,
      description,
      similes,
      alwaysRun,
      examples: parsed(examplesJson) ?? [],
      validate: (_: ElizaRuntime, message: Loose, state?: Loose) =>
        plugin.validateEvaluator(name, memory(message), composed(state), options),
      handler: handling((invocation) => plugin.invokeEvaluator(name, invocation, options)),
    })),
    services: services.map(({ type }) => serviceClass(plugin, type, options)),
    routes: routes.map(
      ({ method, path, name, public: isPublic, multipart }): ElizaRoute => ({
        type: method as ElizaRoute["type"],
        path,
        name,
        public: isPublic,
        isMultipart: multipart,
        handler: (request, response) => route(plugin, method, path, request, response, options),
      }),
    ),
    events: Object.fromEntries(
      events.map((type) => [
        type,
        [
          // ElizaOS adds its runtime to each payload.
          ({ runtime: _, ...payload }: Loose) => plugin.handleEvent(type, json(payload), options),
        ],
      ]),
    ),
    models: Object.fromEntries(
      models.map((type) => [
        type,
        (_: ElizaRuntime, params: Loose) => {
          const onText = typeof params["onStreamChunk"] === "function" ? params["onStreamChunk"] : () => {};
          return plugin.generate(type, json(params), (text) => void onText(text));
        },
      ]),
    ),
  };
}

function serviceClass(plugin: Registration, type: string, options: CallOptions): ElizaServiceClass {
  return class {
    static readonly serviceType = type;
    readonly capabilityDescription = type;

    static async start(): Promise<{ stop(): Promise<void> }> {
      await plugin.startService(type, options);
      return { stop: () => plugin.stopService(type, options) };
    }
  };
}

async function route(
  plugin: Registration,
  method: string,
  path: string,
  { params, query, headers, body }: Loose,
  response: ElizaResponse,
  options: CallOptions,
): Promise<void> {
  const fields = (value: unknown) =>
    Object.entries((value ?? {}) as Loose).flatMap(([name, member]) =>
      [member].flat().map((one) => ({ name, value: String(one) })),
    );
  const bytes = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  const request = {
    path,
    method,
    params: new Map(fields(params).map(({ name, value }) => [name, value])),
    query: fields(query),
    headers: fields(headers),
    body: new TextEncoder().encode(bytes),
  };
  const answer = await plugin.handleRoute(request, options);
  response.status(answer.status);
  for (const { name, value } of answer.headers) response.setHeader(name, value);
  response.send(Buffer.from(answer.body));
}

/** The runtime, as what is behind the services that our plugins call. */
class BehindElizaos implements AgentBehind {
  readonly memories: Memories;
  readonly #runtime: () => ElizaRuntime;

  constructor(runtime: () => ElizaRuntime) {
    this.#runtime = runtime;
    this.memories = new ElizaosMemories(runtime);
  }

  getSetting(key: string): Json | undefined {
    return this.#runtime().getSetting(key) ?? undefined;
  }

  async composeState(message: Memory, { include = [], onlyIncluded = false }: StateQuery = {}): Promise<State> {
    return composed(await this.#runtime().composeState(message, [...include], onlyIncluded, true));
  }

  async useModel(model: string, params: Json, onText: (text: string) => void = () => {}): Promise<Json> {
    const given = typeof params === "object" && params !== null ? { ...params, onStreamChunk: onText } : params;
    return json(await this.#runtime().useModel(model, given));
  }

  async emitEvent(type: string, payload: Json): Promise<void> {
    await this.#runtime().emitEvent(type, payload);
  }
}

class ElizaosMemories implements Memories {
  readonly #runtime: () => ElizaRuntime;

  constructor(runtime: () => ElizaRuntime) {
    this.#runtime = runtime;
  }

  create(created: Memory, table = ""): Promise<string> {
    return this.#runtime().createMemory(created, table || "messages", created.unique);
  }

  async get(id: string): Promise<Memory> {
    const found = await this.#runtime().getMemoryById(id);
    if (found === null) throw new AnyplugError(Code.NotFound, `there is no memory of id ${JSON.stringify(id)}`);
    return memory(found);
  }

  async list({ table, ...query }: MemoryQuery = {}): Promise<Memory[]> {
    return (await this.#runtime().getMemories({ tableName: table || "messages", ...query })).map(memory);
  }

  async search({ table, threshold, count, ...search }: MemorySearch): Promise<Memory[]> {
    const given = { tableName: table || "messages", match_threshold: threshold, count: count || 10, ...search };
    return (await this.#runtime().searchMemories(given)).map(memory);
  }

  async update(changed: Memory): Promise<void> {
    await this.#runtime().updateMemory(changed);
  }

  delete(id: string): Promise<void> {
    return this.#runtime().deleteMemory(id);
  }
}

/** Calls as ElizaOS makes them, of what is invoked by one argument. */
function handling(invoke: (invocation: InvokeArguments) => Promise<ActionResult>) {
  return (
    _: ElizaRuntime,
    message: Loose,
    state?: Loose,
    given?: Loose,
    callback?: ElizaCallback,
    responses?: Loose[],
  ): Promise<ActionResult> =>
    invoke({
      message: memory(message),
      state: composed(state),
      options: json(given ?? {}) as JsonObject,
      responses: (responses ?? []).map(memory),
      onContent: callback && ((content) => void callback(content)),
    });
}

function memory(value: Loose): Memory {
  return memoryFrom(json(value));
}

function composed(value: Loose | undefined): State {
  return stateFrom(value === undefined ? null : json(value));
}

/** What there is of it in JSON: functions, which ElizaOS has among its options, stay here; a bigint becomes text. */
function json(value: unknown): Json {
  const text = JSON.stringify(value, (_, member) => (typeof member === "bigint" ? String(member) : member));
  return text === undefined ? null : (JSON.parse(text) as Json);
}
