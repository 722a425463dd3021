/** Plays the shared cases against a plugin: calls and answers as proto3 JSON. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { InMemoryDb } from "@anyplug/generated/inmemorydb/v1/inmemorydb_anyplug.js";
import { AnyplugError, type JsonMessage, JsonTypes, type Plugin } from "anyplug";

/** A call, and what comes back. */
interface Step {
  readonly call: keyof ReturnType<typeof clientOf>;
  readonly request?: object;
  /** In place of `request` where the call takes a stream. */
  readonly requests?: object[];
  readonly response?: object;
  /** In place of `response` where the call gives a stream. */
  readonly responses?: object[];
  /** In place of an answer. */
  readonly error?: string;
}

/** The cases in `data/cases.json`, each for an empty database. */
export const cases: readonly { readonly name: string; readonly steps: readonly Step[] }[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../data/cases.json"), "utf8"),
);

const types = new JsonTypes([InMemoryDb]);

/** Returns the steps as they went. */
export async function play(plugin: Plugin, steps: readonly Step[]): Promise<Step[]> {
  const played: Step[] = [];
  for (const { call, request, requests } of steps) {
    const asked = request === undefined ? { call, requests } : { call, request };
    played.push({ ...asked, ...(await answer(plugin, call, request ?? requests ?? {})) } as Step);
  }
  return played;
}

/** Drops all collections. */
export async function empty(plugin: Plugin): Promise<void> {
  const db = clientOf(plugin);
  const { collections } = await db.listCollections({});
  for (const { name } of collections) await db.dropCollection({ collection: name });
}

async function answer(plugin: Plugin, call: Step["call"], given: object | object[]): Promise<Partial<Step>> {
  const { input, output } = methodOf(call);
  const message = (json: object) => types.fromJson(input, JSON.stringify(json));
  const json = (value: unknown) => JSON.parse(types.toJson(output, value));
  const method = clientOf(plugin)[call] as (request: unknown) => Promise<unknown> | AsyncIterable<unknown>;
  try {
    const answered = method(Array.isArray(given) ? given.map(message) : message(given));
    if (!(Symbol.asyncIterator in answered)) return { response: json(await answered) };
    const responses: object[] = [];
    for await (const response of answered) responses.push(json(response));
    return { responses };
  } catch (error) {
    return { error: String(AnyplugError.from(error)) };
  }
}

/** Generated messages know the names of their types. */
function named(message: object): JsonMessage<unknown> {
  return message as JsonMessage<unknown>;
}

function clientOf(plugin: Plugin) {
  return plugin.client(InMemoryDb);
}

function methodOf(call: string) {
  const method = InMemoryDb.methods.find(({ localName }) => localName === call);
  if (method === undefined) throw new Error(`InMemoryDbService has no method ${call}`);
  return { input: named(method.input), output: named(method.output) };
}
