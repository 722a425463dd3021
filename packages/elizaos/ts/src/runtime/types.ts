/** What this package knows of `@elizaos/core`: the parts of its types that cross the border. It is not imported; a host has its own. */

import type { Json, JsonObject, Memory } from "@anyplug/contracts/agent";

/** A piece of ElizaOS's own data: JSON in practice, but not by its type. */
export type Loose = { readonly [name: string]: unknown };

/** Says something before the result. */
export type ElizaCallback = (content: Loose) => Promise<unknown>;

type ElizaHandler = (
  runtime: ElizaRuntime,
  message: Loose,
  state?: Loose,
  options?: Loose,
  callback?: ElizaCallback,
  responses?: Loose[],
) => Promise<unknown>;

type ElizaValidator = (runtime: ElizaRuntime, message: Loose, state?: Loose) => Promise<boolean>;

/** An action of ElizaOS. */
export interface ElizaAction extends Loose {
  readonly name: string;
  readonly description: string;
  readonly similes?: string[];
  readonly examples?: Json[];
  readonly priority?: number;
  readonly tags?: string[];
  readonly parameters?: unknown;
  readonly validate: ElizaValidator;
  readonly handler: ElizaHandler;
}

/** A provider of ElizaOS. */
export interface ElizaProvider extends Loose {
  readonly name: string;
  readonly description?: string;
  readonly dynamic?: boolean;
  readonly position?: number;
  readonly private?: boolean;
  readonly get: (runtime: ElizaRuntime, message: Loose, state: Loose) => Promise<unknown>;
}

/** An evaluator of ElizaOS. */
export interface ElizaEvaluator extends Loose {
  readonly name: string;
  readonly description: string;
  readonly similes?: string[];
  readonly alwaysRun?: boolean;
  readonly examples: Json[];
  readonly validate: ElizaValidator;
  readonly handler: ElizaHandler;
}

/** A service class of ElizaOS. */
export interface ElizaServiceClass {
  readonly serviceType: string;
  start(runtime: ElizaRuntime): Promise<{ stop(): Promise<void> }>;
}

/** What a route of ElizaOS answers on. */
export interface ElizaResponse {
  status(code: number): ElizaResponse;
  json(data: unknown): ElizaResponse;
  send(data: unknown): ElizaResponse;
  end(): ElizaResponse;
  setHeader(name: string, value: string | string[]): ElizaResponse;
}

/** A route of ElizaOS. */
export interface ElizaRoute extends Loose {
  readonly type: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "STATIC";
  readonly path: string;
  readonly name?: string;
  readonly public?: boolean;
  readonly isMultipart?: boolean;
  readonly handler?: (request: Loose, response: ElizaResponse, runtime: ElizaRuntime) => Promise<void>;
}

/** A plugin of ElizaOS. */
export interface ElizaPlugin {
  readonly name: string;
  readonly description: string;
  readonly priority?: number;
  readonly dependencies?: string[];
  readonly init?: (config: Record<string, string>, runtime: ElizaRuntime) => Promise<void>;
  readonly config?: JsonObject;
  readonly services?: ElizaServiceClass[];
  readonly actions?: ElizaAction[];
  readonly providers?: ElizaProvider[];
  readonly evaluators?: ElizaEvaluator[];
  readonly models?: Record<string, (runtime: ElizaRuntime, params: never) => Promise<unknown>>;
  readonly events?: Record<string, ((payload: never) => Promise<void>)[]>;
  readonly routes?: ElizaRoute[];
}

/** Of a runtime of ElizaOS what its plugins use most, and what those of ours may ask for. */
export interface ElizaRuntime {
  readonly agentId: string;
  readonly character?: Loose;
  getSetting(key: string): string | boolean | number | null;
  composeState(message: Loose, include?: string[], onlyInclude?: boolean, skipCache?: boolean): Promise<Loose>;
  useModel(model: string, params: unknown): Promise<unknown>;
  emitEvent(type: string | string[], payload: unknown): Promise<void>;
  createMemory(memory: Memory, table: string, unique?: boolean): Promise<string>;
  getMemoryById(id: string): Promise<Loose | null>;
  getMemories(query: Loose): Promise<Loose[]>;
  searchMemories(search: Loose): Promise<Loose[]>;
  updateMemory(memory: Memory): Promise<unknown>;
  deleteMemory(id: string): Promise<void>;
}
