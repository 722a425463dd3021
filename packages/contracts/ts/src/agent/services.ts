/** What an agent serves to its plugins. A host gives it to `loadPlugin` as `services`. */

import { type HandlerContext, type Implementation, implement } from "@anyplug/core";
import type * as wire from "@anyplug/generated/anyplug/agent/v1/host.js";
import {
  AgentEvent,
  AgentMemory,
  AgentModel,
  AgentSettings,
  AgentState,
} from "@anyplug/generated/anyplug/agent/v1/host_anyplug.js";
import type { Memories, StateQuery } from "./agent.js";
import { type Json, parseJson, printJson } from "./json.js";
import { streamed } from "./streamed.js";
import { type Memory, memoryMessage, memoryOf, type State, stateMessage } from "./values.js";

/** What the services are made of. */
export interface AgentBehind {
  readonly memories: Memories;
  getSetting(key: string): Json | undefined;
  composeState(message: Memory, query?: StateQuery, within?: HandlerContext): Promise<State>;
  useModel(model: string, params: Json, onText?: (text: string) => void, within?: HandlerContext): Promise<Json>;
  emitEvent(type: string, payload: Json, within?: HandlerContext): Promise<void>;
}

type UseModelEvent = { readonly event: NonNullable<wire.UseModelResponse["event"]> };

/** Returns the implementations of the agent's services, in the order of the schema. */
export function agentServices(agent: AgentBehind): readonly Implementation[] {
  const { memories } = agent;
  return [
    implement(AgentSettings, {
      getSetting: ({ key }) => ({ valueJson: printJson(agent.getSetting(key), "the setting") }),
    }),
    implement(AgentState, {
      async composeState({ message, include, onlyIncluded }, context) {
        const state = await agent.composeState(memoryOf(message), { include, onlyIncluded }, context);
        return { state: stateMessage(state) };
      },
    }),
    implement(AgentMemory, {
      createMemory: async ({ memory, table }) => ({ id: await memories.create(memoryOf(memory), table) }),
      getMemory: async ({ id }) => ({ memory: memoryMessage(await memories.get(id)) }),
      async listMemories({ startMs, endMs, ...query }) {
        const start = startMs === undefined ? undefined : Number(startMs);
        const end = endMs === undefined ? undefined : Number(endMs);
        return { memories: (await memories.list({ ...query, start, end })).map(memoryMessage) };
      },
      searchMemories: async (search) => ({ memories: (await memories.search(search)).map(memoryMessage) }),
      async updateMemory({ memory }) {
        await memories.update(memoryOf(memory));
        return {};
      },
      async deleteMemory({ id }) {
        await memories.delete(id);
        return {};
      },
    }),
    implement(AgentModel, {
      async *useModel({ model, paramsJson }, context) {
        const params = parseJson(paramsJson, "params_json") ?? null;
        yield* streamed<UseModelEvent>(async (give) => {
          const onText = (text: string) => give({ event: { $case: "text", text } });
          const result = await agent.useModel(model, params, onText, context);
          return { event: { $case: "resultJson", resultJson: printJson(result, "result") } };
        });
      },
    }),
    implement(AgentEvent, {
      async emitEvent({ type, payloadJson }, context) {
        await agent.emitEvent(type, parseJson(payloadJson, "payload_json") ?? null, context);
        return {};
      },
    }),
  ];
}
