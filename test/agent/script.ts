/** Runs the cases of cases.json, which the agents of all languages share. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentRuntime, Json, JsonObject, Memory, MemoryQuery, RouteServer } from "@anyplug/contracts/agent";
import { AnyplugError, codeName, type LogRecord } from "@anyplug/core";
import { expect } from "@jest/globals";

/** A step: see README.md. */
export interface Step {
  readonly do: string;
  readonly expect?: Json;
  readonly fails?: readonly [code: string, message: string];
  // biome-ignore lint/suspicious/noExplicitAny: the arguments, as the step's function reads them
  readonly [name: string]: any;
}

export interface Case {
  readonly name: string;
  readonly steps: readonly Step[];
}

export const cases: readonly Case[] = JSON.parse(readFileSync(join(import.meta.dirname, "cases.json"), "utf8"));

/** An agent on which steps are run. */
export interface Stage {
  readonly agent: AgentRuntime;
  readonly records: LogRecord[];
  readonly server: RouteServer;
  readonly registerWeather: (config: JsonObject) => Promise<unknown>;
}

/** Runs the steps of a case. */
export async function run(stage: Stage, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    const action = actions[step.do];
    if (action === undefined) throw new Error(`there is no step ${step.do}`);
    if (step.fails !== undefined) {
      const error = await Promise.resolve(action(stage, step)).then(
        () => undefined,
        (reason) => AnyplugError.from(reason),
      );
      expect([step.do, error && codeName(error.code)]).toEqual([step.do, step.fails[0]]);
      expect(error?.message).toContain(step.fails[1]);
    } else {
      const result = JSON.parse(JSON.stringify((await action(stage, step)) ?? null));
      if (step.expect !== undefined) expect({ [step.do]: result }).toMatchObject({ [step.do]: step.expect });
    }
  }
}

type Action = (stage: Stage, step: Step) => unknown;

const actions: Readonly<Record<string, Action>> = {
  plugins: ({ agent }) => agent.plugins,
  seen: ({ records }) => take(records, true),
  warned: ({ records }) => take(records, false),
  registerWeather: ({ registerWeather }, { config = {} }) => registerWeather(config).then(() => null),
  register: async ({ agent }, { plugin }) => {
    const { actions: names = [], ...rest } = plugin;
    const named = names.map((name: string) => ({ name, handler: () => {} }));
    await agent.registerPlugin({ ...rest, actions: named });
  },
  unregister: ({ agent }, { plugin }) => agent.unregisterPlugin(plugin),
  list: ({ agent }, { kind }) =>
    agent.list(kind as "actions").map(({ plugin, description }) => [plugin.name, description.name]),
  compose: ({ agent }, { message, include, onlyIncluded }) => agent.composeState(message, { include, onlyIncluded }),
  validActions: async ({ agent }, { message }) =>
    (await agent.validActions(message)).map(({ description }) => description.name),
  process: async ({ agent }, { message, responses, options, said }) => {
    const heard: unknown[] = [];
    const onContent = ({ text }: { text?: string | undefined }, name: string) => void heard.push([name, text]);
    const results = await agent.processActions(message, responses, { options, onContent });
    expect(heard).toEqual(said);
    return results;
  },
  evaluate: ({ agent }, { message, responses }) => agent.runEvaluators(message, responses),
  emit: ({ agent }, { type, payload }) => agent.emitEvent(type, payload),
  model: async ({ agent }, { model, params, pieces }) => {
    const given: string[] = [];
    const result = await agent.useModel(model, params, (text) => given.push(text));
    expect(given).toEqual(pieces);
    return result;
  },
  remember: ({ agent }, { memory, table }) => agent.memories.create(memory as Memory, table),
  memories: ({ agent }, { query }) => agent.memories.list(query as MemoryQuery),
  similar: ({ agent }, { embedding, query }) => agent.memories.search({ embedding, ...query }),
  change: ({ agent }, { memory }) => agent.memories.update(memory as Memory),
  forget: ({ agent }, { id }) => agent.memories.delete(id),
  request: async ({ server }, { method, path, headers = {}, body }) => {
    const answer = await fetch(server.url + path, { method, headers, body });
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
  },
};

/** The messages of what was logged at level info, or higher; they are taken away. */
function take(records: LogRecord[], info: boolean): string[] {
  const wanted = (record: LogRecord) => (info ? record.level === "info" : ["warn", "error"].includes(record.level));
  const taken = records.filter(wanted);
  records.splice(0, records.length, ...records.filter((record) => !wanted(record)));
  return taken.map(({ message }) => message);
}
