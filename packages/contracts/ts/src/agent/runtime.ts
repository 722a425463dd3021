/** An agent: it registers plugins, and asks them. */

import { randomUUID } from "node:crypto";
import {
  AnyplugError,
  type CallOptions,
  Code,
  type HandlerContext,
  type Implementation,
  type LogLevel,
  type LogRecord,
} from "@anyplug/core";
import type { Memories, StateQuery } from "./agent.js";
import type { AgentPluginDefinition } from "./define.js";
import type { Json, JsonObject } from "./json.js";
import { localPeer } from "./local.js";
import { InMemoryMemories } from "./memories.js";
import {
  type AgentPeer,
  type InvokeArguments,
  type Owned,
  Registration,
  type RouteDescription,
} from "./registration.js";
import { agentServices } from "./services.js";
import type { ActionResult, Content, Memory, ProviderResult, State } from "./values.js";

/** What an agent is made with. All of it is optional. */
export interface AgentRuntimeOptions {
  /** A UUID. Default: a new one. */
  readonly id?: string | undefined;
  /** Default: "agent". */
  readonly name?: string | undefined;
  /** What plugins with the capability "agent.settings" may read. */
  readonly settings?: Readonly<Record<string, Json>> | undefined;
  /** Default: memories in this process. */
  readonly memories?: Memories | undefined;
  /** Milliseconds that a plugin may take for one answer; a model has no limit. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** Takes what went wrong where the agent goes on: a provider that failed, a name that comes twice. Default: it is dropped. */
  readonly onLog?: ((record: LogRecord) => void) | undefined;
}

/** What can be registered: a plugin that `loadPlugin` returned is one. */
export interface AgentPlugin extends AgentPeer {
  /** Resolves when it has ended by itself. */
  readonly closed?: Promise<AnyplugError>;
}

/** How a plugin is registered. */
export interface RegisterOptions {
  /** The configuration for its Init. */
  readonly config?: JsonObject | undefined;
}

/** How actions and evaluators are run. */
export interface ProcessOptions {
  /** Default: composed for the message. */
  readonly state?: State | undefined;
  readonly options?: JsonObject | undefined;
  /** Takes what is said on the way, with the name of who said it. */
  readonly onContent?: ((content: Content, name: string) => void) | undefined;
}

/** How one action or evaluator ended. */
export interface NamedResult {
  readonly name: string;
  readonly plugin: string;
  readonly result: ActionResult;
}

type Kind = "actions" | "providers" | "evaluators" | "services";
type Described<K extends Kind> = Registration["description"][K][number];

/**
 * An agent. Plugins add to it what it can do and know; it asks them, and goes on when one of them fails.
 *
 * ```ts
 * const agent = new AgentRuntime({ name: "Ada", settings: { CITY: "Bonn" } });
 * await using weather = await loadPlugin("./plugins/weather", { services: agent.services, grants: ["agent.settings"] });
 * await agent.registerPlugin(weather);
 * const results = await agent.processActions(message, [{ content: { actions: ["FORECAST"] } }]);
 * ```
 */
export class AgentRuntime {
  readonly id: string;
  readonly name: string;
  readonly memories: Memories;
  /** What plugins may call: give it to `loadPlugin` as `services`. */
  readonly services: readonly Implementation[];
  readonly #settings: Map<string, Json>;
  readonly #timeoutMs: number;
  readonly #onLog: (record: LogRecord) => void;
  /** By name, in the order in which they are asked: the higher priority first, then as they came. */
  #plugins: ReadonlyMap<string, Registration> = new Map();
  #routes: readonly Owned<RouteDescription>[] = [];

  constructor(options: AgentRuntimeOptions = {}) {
    this.id = options.id ?? randomUUID();
    this.name = options.name ?? "agent";
    this.memories = options.memories ?? new InMemoryMemories();
    this.#settings = new Map(Object.entries(options.settings ?? {}));
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#onLog = options.onLog ?? (() => {});
    this.services = agentServices(this);
  }

  /** The names of the registered plugins, in the order in which they are asked. */
  get plugins(): readonly string[] {
    return [...this.#plugins.keys()];
  }

  /** All of one kind that the plugins have; of those with one name the first. */
  list<K extends Kind>(kind: K): readonly Owned<Described<K>>[] {
    const found = new Map<string, Owned<Described<K>>>();
    for (const plugin of this.#plugins.values()) {
      for (const description of plugin.description[kind] as readonly Described<K>[]) {
        const name = "type" in description ? description.type : description.name;
        if (!found.has(name)) found.set(name, { plugin, description });
      }
    }
    return [...found.values()];
  }

  /** The HTTP routes of all plugins. It is another list when the set of plugins is another. */
  get routes(): readonly Owned<RouteDescription>[] {
    return this.#routes;
  }

  /**
   * Registers a plugin, loaded or defined in this program: asks what it has, initializes it and starts its services. When it ends by itself, it is unregistered.
   *
   * @throws AnyplugError (rejects) ALREADY_EXISTS for a second one of its name, FAILED_PRECONDITION when a plugin that it depends on is not registered, and what the plugin
   * itself answered when it refuses; it is not registered then.
   */
  async registerPlugin(
    plugin: AgentPlugin | AgentPluginDefinition,
    { config = {} }: RegisterOptions = {},
  ): Promise<Registration> {
    const peer: AgentPlugin =
      "client" in plugin ? plugin : localPeer(plugin, this, (error, { path }) => this.#threw(path, error), this.#onLog);
    const added = await Registration.of(peer, this.#options());
    this.#admit(added);
    await added.init(this, config, this.#options());
    // Another of its name may have come while it was initialized.
    this.#admit(added);
    this.#add(added);
    try {
      for (const { type } of added.description.services) await added.startService(type, this.#options());
    } catch (error) {
      await this.unregisterPlugin(added.name);
      throw error;
    }
    void peer.closed?.then(({ message }) => {
      if (this.#remove(added)) this.#log("warn", `plugin "${added.name}" is unregistered: ${message}`);
    });
    return added;
  }

  /** Stops the plugin's services and forgets it; it is not closed. What fails on the way is logged. False when there is none of that name. */
  async unregisterPlugin(name: string): Promise<boolean> {
    const plugin = this.#plugins.get(name);
    if (plugin === undefined) return false;
    this.#remove(plugin);
    for (const type of [...plugin.running].reverse()) {
      await plugin.stopService(type, this.#options()).catch((error) => this.#failed(`service ${type}`, plugin, error));
    }
    return true;
  }

  getSetting(key: string): Json | undefined {
    return this.#settings.get(key);
  }

  /** Sets a setting; undefined removes it. */
  setSetting(key: string, value: Json | undefined): void {
    if (value === undefined) this.#settings.delete(key);
    else this.#settings.set(key, value);
  }

  /**
   * Asks the providers, all at once, and puts together what they say: texts by position, values and data by name. One that fails is logged and left out.
   *
   * @throws AnyplugError (rejects) NOT_FOUND when a provider that is named is not there.
   */
  async composeState(message: Memory, query: StateQuery = {}, within?: HandlerContext): Promise<State> {
    const chosen = this.#providers(query);
    const answers = await Promise.all(
      chosen.map(async ({ plugin, description: { name } }) => {
        const none: State = { text: "", values: {}, data: {} };
        try {
          return { name, answer: await plugin.getProvider(name, message, none, this.#options(within)) };
        } catch (error) {
          this.#failed(`provider ${name}`, plugin, error);
          return { name, answer: {} as ProviderResult };
        }
      }),
    );
    const texts = answers.map(({ answer }) => answer.text ?? "").filter((text) => text !== "");
    const values = Object.assign({}, ...answers.map(({ answer }) => answer.values ?? {})) as JsonObject;
    const providers = Object.fromEntries(answers.map(({ name, answer }) => [name, { ...answer }]));
    return { text: texts.join("\n"), values, data: { providers } };
  }

  /** The actions that make sense for the message, the higher priority first. One that cannot be asked is logged and left out. */
  async validActions(message: Memory, state?: State): Promise<readonly Owned<Described<"actions">>[]> {
    const known = state ?? (await this.composeState(message));
    const asked = this.list("actions").map(async (action) => {
      const { plugin, description } = action;
      const answer = plugin.validateAction(description.name, message, known, this.#options());
      return (await answer.catch((error) => this.#failed(`action ${description.name}`, plugin, error))) ? [action] : [];
    });
    const valid = (await Promise.all(asked)).flat();
    return valid.sort((a, b) => b.description.priority - a.description.priority);
  }

  /**
   * Runs the actions that the responses name, one after the other; later ones see in their state what earlier ones returned. An action that fails, or is not there, has a
   * result that says so, and the next one runs.
   */
  async processActions(
    message: Memory,
    responses: readonly Memory[],
    options: ProcessOptions = {},
  ): Promise<readonly NamedResult[]> {
    let state = options.state ?? (await this.composeState(message));
    const results: NamedResult[] = [];
    for (const name of responses.flatMap(({ content }) => content.actions ?? [])) {
      const action = this.#action(name);
      if (action === undefined) {
        results.push({ name, plugin: "", result: { success: false, error: `Action not found: ${name}` } });
        continue;
      }
      const { plugin, description } = action;
      const args = invocation(message, state, responses, options, description.name);
      const result = await this.#result(plugin.invokeAction(description.name, args, this.#options()));
      results.push({ name: description.name, plugin: plugin.name, result });
      state = withResult(state, results);
    }
    return results;
  }

  /** Runs the evaluators that want to look at the message: all of them when the agent answered, else those that always run. One that fails has a result that says so. */
  async runEvaluators(
    message: Memory,
    responses: readonly Memory[],
    options: ProcessOptions = {},
  ): Promise<readonly NamedResult[]> {
    const state = options.state ?? (await this.composeState(message));
    const results: NamedResult[] = [];
    for (const { plugin, description } of this.list("evaluators")) {
      const { name, alwaysRun } = description;
      if (responses.length === 0 && !alwaysRun) continue;
      const valid = plugin.validateEvaluator(name, message, state, this.#options());
      if (!(await valid.catch((error) => this.#failed(`evaluator ${name}`, plugin, error)))) continue;
      const args = invocation(message, state, responses, options, name);
      const result = await this.#result(plugin.invokeEvaluator(name, args, this.#options()));
      results.push({ name, plugin: plugin.name, result });
    }
    return results;
  }

  /** Gives an event to all plugins that handle it, at once, and waits for them. One that fails is logged. */
  async emitEvent(type: string, payload: Json, within?: HandlerContext): Promise<void> {
    const handling = [...this.#plugins.values()].filter(({ description }) => description.events.includes(type));
    await Promise.all(
      handling.map(async (plugin) => {
        const handled = plugin.handleEvent(type, payload, this.#options(within));
        await handled.catch((error) => this.#failed(`event ${type}`, plugin, error));
      }),
    );
  }

  /**
   * Runs the model of that type of the first plugin that has one; `onText` takes the pieces as they come.
   *
   * @throws AnyplugError (rejects) NOT_FOUND when no plugin has one, and what the plugin answered.
   */
  async useModel(
    model: string,
    params: Json,
    onText: (text: string) => void = () => {},
    within?: HandlerContext,
  ): Promise<Json> {
    for (const plugin of this.#plugins.values()) {
      if (plugin.description.models.includes(model)) return plugin.generate(model, params, onText, { within });
    }
    throw new AnyplugError(Code.NotFound, `no plugin has a model "${model}"; register one that has`);
  }

  #options(within?: HandlerContext): CallOptions {
    return { timeoutMs: this.#timeoutMs, within };
  }

  #admit({ name, description: { dependencies } }: Registration): void {
    if (this.#plugins.has(name)) {
      throw new AnyplugError(Code.AlreadyExists, `a plugin "${name}" is registered; unregister it first`);
    }
    const missing = dependencies.filter((dependency) => !this.#plugins.has(dependency));
    if (missing.length === 0) return;
    const message = `plugin "${name}" depends on ${missing.join(", ")}, not registered; register that first`;
    throw new AnyplugError(Code.FailedPrecondition, message);
  }

  #add(added: Registration): void {
    for (const kind of ["actions", "providers", "evaluators"] as const) {
      const taken = new Map(this.list(kind).map(({ plugin, description }) => [description.name, plugin.name]));
      for (const { name } of added.description[kind]) {
        const first = taken.get(name);
        if (first !== undefined) {
          const message = `plugins "${first}" and "${added.name}" both have ${name} among their ${kind}; the one with the higher priority, else the first, is used`;
          this.#log("warn", message);
        }
      }
    }
    const all = [...this.#plugins.values(), added];
    // The sort is stable.
    all.sort((a, b) => b.description.priority - a.description.priority);
    this.#replace(all);
  }

  #remove(plugin: Registration): boolean {
    if (this.#plugins.get(plugin.name) !== plugin) return false;
    this.#replace([...this.#plugins.values()].filter((other) => other !== plugin));
    return true;
  }

  #replace(plugins: readonly Registration[]): void {
    this.#plugins = new Map(plugins.map((plugin) => [plugin.name, plugin]));
    this.#routes = plugins.flatMap((plugin) =>
      plugin.description.routes.map((description) => ({ plugin, description })),
    );
  }

  #providers({ include = [], onlyIncluded = false }: StateQuery): readonly Owned<Described<"providers">>[] {
    const all = this.list("providers");
    for (const name of include) {
      if (!all.some(({ description }) => description.name === name)) {
        const known = all.map(({ description }) => description.name).join(", ");
        throw new AnyplugError(Code.NotFound, `there is no provider "${name}"; there are: ${known || "none"}`);
      }
    }
    const chosen = all.filter(
      ({ description: { name, dynamic, private: isPrivate } }) =>
        include.includes(name) || !(onlyIncluded || dynamic || isPrivate),
    );
    return chosen.sort((a, b) => a.description.position - b.description.position);
  }

  /** The action of that name, or that is spelled alike, or that has it among its similes. */
  #action(name: string): Owned<Described<"actions">> | undefined {
    const all = this.list("actions");
    const alike = plain(name);
    return (
      all.find(({ description }) => description.name === name) ??
      all.find(({ description }) => plain(description.name) === alike) ??
      all.find(({ description }) => description.similes.some((simile) => plain(simile) === alike))
    );
  }

  async #result(running: Promise<ActionResult>): Promise<ActionResult> {
    try {
      return await running;
    } catch (error) {
      return { success: false, error: AnyplugError.from(error).message };
    }
  }

  #failed(what: string, { name }: Registration, error: unknown): false {
    this.#log("error", `${what} of plugin "${name}" failed: ${AnyplugError.from(error).message}`);
    return false;
  }

  /** What a handler of this program threw. Its caller gets the message alone. */
  #threw(path: string, error: unknown): void {
    this.#log("error", `the handler of ${path} failed: ${error instanceof Error ? error.stack : String(error)}`);
  }

  #log(level: LogLevel, message: string): void {
    this.#onLog({ level, message, logger: "anyplug.agent", timeMs: Date.now(), fields: {} });
  }
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll("_", "");
}

function invocation(
  message: Memory,
  state: State,
  responses: readonly Memory[],
  { options, onContent }: ProcessOptions,
  name: string,
): InvokeArguments {
  return { message, state, responses, options, onContent: onContent && ((content) => onContent(content, name)) };
}

/** The state with what the last action returned, and with all results so far. */
function withResult(state: State, results: readonly NamedResult[]): State {
  const values = { ...state.values, ...results.at(-1)?.result.values };
  const actionResults = results.map(({ name, result }) => ({ name, ...result }));
  return { ...state, values, data: { ...state.data, actionResults } };
}
