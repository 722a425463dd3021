/** The agent as its plugins see it: what they may ask of their host, each by a capability. */

import { AnyplugError, Code, type HandlerContext, type LogFields, type LogLevel } from "@anyplug/core";
import {
  AgentEvent,
  AgentMemory,
  type AgentMemoryClient,
  AgentModel,
  AgentSettings,
  AgentState,
} from "@anyplug/generated/anyplug/agent/v1/host_anyplug.js";
import { type Json, parseJson, printJson } from "./json.js";
import { type Memory, memoryMessage, memoryOf, type State, stateOf } from "./values.js";

/** Which memories are wanted. */
export interface MemoryQuery {
  /** Default: "messages". */
  readonly table?: string | undefined;
  /** Default: of all rooms. */
  readonly roomId?: string | undefined;
  /** Default: of all. */
  readonly entityId?: string | undefined;
  /** At most that many. Default: 100. */
  readonly count?: number | undefined;
  /** Milliseconds since 1970-01-01 UTC, both inclusive. */
  readonly start?: number | undefined;
  readonly end?: number | undefined;
}

/** What is searched for. */
export interface MemorySearch {
  readonly embedding: readonly number[];
  /** Default: "messages". */
  readonly table?: string | undefined;
  /** Default: of all rooms. */
  readonly roomId?: string | undefined;
  /** At most that many. Default: 10. */
  readonly count?: number | undefined;
  /** Only those at least so near: -1 to 1. */
  readonly threshold?: number | undefined;
}

/** The memories of an agent. */
export interface Memories {
  /** Keeps a memory, and returns its id: a new one when it had none. ALREADY_EXISTS when there is one of that id. */
  create(memory: Memory, table?: string): Promise<string>;
  /** NOT_FOUND when there is none of that id. */
  get(id: string): Promise<Memory>;
  /** The newest first. */
  list(query?: MemoryQuery): Promise<Memory[]>;
  /** The nearest first, by the cosine of the embeddings. */
  search(search: MemorySearch): Promise<Memory[]>;
  /** Puts the memory in the place of the one with its id. NOT_FOUND when there is none. */
  update(memory: Memory): Promise<void>;
  /** Forgets a memory. One that is not there is no error. */
  delete(id: string): Promise<void>;
}

/** Which providers are asked. */
export interface StateQuery {
  /** Names of providers to ask beside those that are neither dynamic nor private. */
  readonly include?: readonly string[] | undefined;
  /** Asks only those in `include`. */
  readonly onlyIncluded?: boolean | undefined;
}

/** The agent, for the time of one call. What was not granted is PERMISSION_DENIED. */
export interface Agent {
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  readonly memories: Memories;
  /** The setting, or undefined. Needs "agent.settings". */
  getSetting(key: string): Promise<Json | undefined>;
  /** What the providers say about a message. Needs "agent.state". */
  composeState(message: Memory, query?: StateQuery): Promise<State>;
  /** Runs a model and returns its answer; `onText` takes the pieces as they come. Needs "agent.model". */
  useModel(model: string, params: Json, onText?: (text: string) => void): Promise<Json>;
  /** Gives an event to all plugins that handle it, and waits for them. Needs "agent.events". */
  emitEvent(type: string, payload: Json): Promise<void>;
  log(level: LogLevel, message: string, fields?: LogFields): void;
}

/** The agent, as it registers a plugin: who it is beside what it offers. */
export interface RegisteringAgent extends Agent {
  /** A UUID. */
  readonly id: string;
  readonly name: string;
}

/** The agent that made the call. */
export class CallingAgent implements Agent {
  readonly memories: Memories;
  readonly #context: HandlerContext;

  constructor(context: HandlerContext) {
    this.#context = context;
    this.memories = new RemoteMemories(context);
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }

  async getSetting(key: string): Promise<Json | undefined> {
    const { valueJson } = await this.#context.client(AgentSettings).getSetting({ key });
    return parseJson(valueJson, "value_json");
  }

  async composeState(message: Memory, { include = [], onlyIncluded = false }: StateQuery = {}): Promise<State> {
    const request = { message: memoryMessage(message), include: [...include], onlyIncluded };
    return stateOf((await this.#context.client(AgentState).composeState(request)).state);
  }

  async useModel(model: string, params: Json, onText: (text: string) => void = () => {}): Promise<Json> {
    const request = { model, paramsJson: printJson(params, "params") };
    for await (const { event } of this.#context.client(AgentModel).useModel(request)) {
      if (event?.$case === "text") onText(event.text);
      if (event?.$case === "resultJson") return parseJson(event.resultJson, "result_json") ?? null;
    }
    throw withoutResult(`the model ${model}`);
  }

  async emitEvent(type: string, payload: Json): Promise<void> {
    await this.#context.client(AgentEvent).emitEvent({ type, payloadJson: printJson(payload, "payload") });
  }

  log(level: LogLevel, message: string, fields?: LogFields): void {
    this.#context.log(level, message, fields);
  }
}

/** The agent that initializes a plugin. */
export class InitializingAgent extends CallingAgent implements RegisteringAgent {
  readonly id: string;
  readonly name: string;

  constructor(context: HandlerContext, id: string, name: string) {
    super(context);
    this.id = id;
    this.name = name;
  }
}

/** A stream ended without the message that ends it. */
export function withoutResult(what: string): AnyplugError {
  return new AnyplugError(Code.Internal, `${what} ended its stream without a result`);
}

class RemoteMemories implements Memories {
  readonly #context: HandlerContext;

  constructor(context: HandlerContext) {
    this.#context = context;
  }

  get #client(): AgentMemoryClient {
    return this.#context.client(AgentMemory);
  }

  async create(memory: Memory, table = ""): Promise<string> {
    return (await this.#client.createMemory({ memory: memoryMessage(memory), table })).id;
  }

  async get(id: string): Promise<Memory> {
    return memoryOf((await this.#client.getMemory({ id })).memory);
  }

  async list({ table, roomId, entityId, count, start, end }: MemoryQuery = {}): Promise<Memory[]> {
    const startMs = start === undefined ? undefined : BigInt(start);
    const endMs = end === undefined ? undefined : BigInt(end);
    const { memories } = await this.#client.listMemories({ table, roomId, entityId, count, startMs, endMs });
    return memories.map(memoryOf);
  }

  async search({ embedding, table, roomId, count, threshold }: MemorySearch): Promise<Memory[]> {
    const request = { embedding: [...embedding], table, roomId, count, threshold };
    return (await this.#client.searchMemories(request)).memories.map(memoryOf);
  }

  async update(memory: Memory): Promise<void> {
    await this.#client.updateMemory({ memory: memoryMessage(memory) });
  }

  async delete(id: string): Promise<void> {
    await this.#client.deleteMemory({ id });
  }
}
