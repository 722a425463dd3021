/** An agent, as the runtime that a plugin of ElizaOS expects. */

import type { Agent, Json, JsonObject, Memory, MemoryQuery } from "@anyplug/contracts/agent";
import { AnyplugError, Code } from "@anyplug/core";
import { memoryFrom } from "../values.js";
import type { ElizaRuntime, Loose } from "./types.js";

/** What a plugin keeps between calls. */
export interface KnownToAll {
  agentId: string;
  agentName: string;
  /** What `getSetting` returns. */
  settings: JsonObject;
  /** The plugin's own services that run. */
  readonly services: Map<string, { stop(): Promise<void> }>;
}

/** Returns a runtime for the time of one call. */
export function agentAsRuntime(agent: Agent, known: KnownToAll): ElizaRuntime {
  const { memories } = agent;
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const count = (value: unknown) => (typeof value === "number" ? value : undefined);
  const query = (given: Loose): MemoryQuery => ({
    table: text(given["tableName"]),
    roomId: text(given["roomId"]),
    entityId: text(given["entityId"]),
    count: count(given["count"]) ?? count(given["limit"]),
    start: count(given["start"]),
    end: count(given["end"]),
  });
  const log =
    (level: "debug" | "info" | "warn" | "error") =>
    (...parts: unknown[]) =>
      agent.log(level, parts.map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join(" "));
  const runtime: ElizaRuntime & Loose = {
    agentId: known.agentId,
    character: { name: known.agentName, settings: known.settings },
    logger: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
    getSetting(key) {
      const value = known.settings[key];
      if (value === undefined || value === null) return null;
      return typeof value === "object" ? JSON.stringify(value) : value;
    },
    getService: (type: string) => known.services.get(type) ?? null,
    composeState: (message, include, onlyIncluded) =>
      agent.composeState(memoryOf(message), { include: include ?? [], onlyIncluded: onlyIncluded ?? false }),
    useModel(model, params) {
      const { onStreamChunk, ...rest } = (params ?? {}) as Loose;
      const onText = typeof onStreamChunk === "function" ? (piece: string) => void onStreamChunk(piece) : undefined;
      return agent.useModel(model, rest as Json, onText);
    },
    async emitEvent(types, payload) {
      const { runtime: _, ...rest } = (payload ?? {}) as Loose;
      for (const type of [types].flat()) await agent.emitEvent(type, rest as Json);
    },
    createMemory: (memory, table) => memories.create(memoryOf(memory), table),
    async getMemoryById(id) {
      try {
        return await memories.get(id);
      } catch (error) {
        if (AnyplugError.from(error).code === Code.NotFound) return null;
        throw error;
      }
    },
    getMemories: (given) => memories.list(query(given)),
    searchMemories: ({ embedding, match_threshold, ...given }) =>
      memories.search({ ...query(given), embedding: embedding as number[], threshold: count(match_threshold) }),
    async updateMemory(memory) {
      await memories.update(memoryOf(memory));
      return true;
    },
    deleteMemory: (id) => memories.delete(id),
  };
  return new Proxy(runtime, { get: member });
}

function memoryOf(value: Loose): Memory {
  return memoryFrom(value as Json);
}

/** What an agent has nothing for is refused when it is called, by its name; `then` must not be there, or a runtime could not be awaited. */
function member(runtime: ElizaRuntime & Loose, name: string | symbol): unknown {
  if (typeof name === "symbol" || name === "then" || name in runtime) return Reflect.get(runtime, name);
  return () => {
    throw new AnyplugError(Code.Unimplemented, `the agent has no runtime.${name}: anyplug.agent.v1 has nothing for it`);
  };
}
