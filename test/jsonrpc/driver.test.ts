/** A host in TypeScript drives plugins that speak JSON-RPC: the cases of driver.json, and the examples. Python and Rust run the same. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { AnyplugError, type CallOptions, codeName, implement } from "@anyplug/core";
import * as messages from "@anyplug/generated/anyplug/test/v1/test.js";
import { Host, Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { Greeter } from "@anyplug/generated/greeter/v1/greeter_anyplug.js";
import { type JsonMessage, JsonTypes } from "@anyplug/json";
import { describe, expect, test } from "@jest/globals";
import { loadPlugin } from "anyplug";

interface Call {
  readonly method: "Echo";
  readonly request?: unknown;
  readonly requests?: readonly unknown[];
  readonly response?: unknown;
  readonly responses?: readonly unknown[];
  readonly error?: { readonly code: string; readonly message: string; readonly details?: number };
  readonly timeoutMs?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

interface Case {
  readonly name: string;
  readonly together?: boolean;
  readonly calls: readonly Call[];
}

const { cases } = JSON.parse(readFileSync(new URL("driver.json", import.meta.url), "utf8")) as { cases: Case[] };
const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const types = new JsonTypes([Test]);

test.each(cases)("$name", async ({ name, calls, together }) => {
  const host = implement(Host, { ask: ({ question }) => ({ answer: `because: ${question}` }) });
  await using plugin = await loadPlugin(folder("peer"), {
    env: { PEER_CASE: name },
    services: [host],
    hostName: "host",
  });
  const made: (() => Promise<unknown>)[] = calls.map((call) => async () => {
    const found = await outcome(plugin.client(Test) as unknown as Client, call);
    expect(found).toEqual(fits(found, call));
  });
  if (together) await Promise.all(made.map((make) => make()));
  else for (const make of made) await make();
});

describe.each(["plain-python", "plain-node"])("the plugin of thirty lines, %s", (language) => {
  test("greets by the ordinary client", async () => {
    await using plugin = await loadPlugin(folder(`../../examples/json-rpc/${language}`));
    expect([plugin.name, plugin.version, plugin.transport]).toEqual(["greeter", "1.0.0", "stdio"]);
    const greeter = plugin.client(Greeter);
    expect((await greeter.greet({ name: "Ada" })).text).toBe("Hello, Ada!");
    const texts = [];
    for await (const { text } of greeter.greetAll({ name: "Grace" })) texts.push(text);
    expect(texts).toEqual(["Hello, Grace!", "Bonjour, Grace!", "Ciao, Grace!"]);
  });
});

type Client = Record<string, (request: unknown, options: CallOptions) => unknown>;

/** What becomes of a call, in the shape of the cases. */
async function outcome(client: Client, { method, request, requests, timeoutMs, metadata }: Call): Promise<object> {
  const input = messageOf(`${method}Request`);
  const output = messageOf(`${method}Response`);
  const read = (json: unknown) => types.fromJson(input, JSON.stringify(json));
  const json = (message: unknown) => JSON.parse(types.toJson(output, message));
  const name = method.charAt(0).toLowerCase() + method.slice(1);
  const responses: unknown[] = [];
  let isStream = false;
  try {
    const given = requests === undefined ? read(request) : requests.map(read);
    const answer = client[name]?.(given, { timeoutMs, metadata });
    isStream = answer instanceof Object && Symbol.asyncIterator in answer;
    if (!isStream) return { response: json(await answer) };
    for await (const response of answer as AsyncIterable<unknown>) responses.push(json(response));
    return { responses };
  } catch (error) {
    const { code, message, details } = AnyplugError.from(error);
    const told = { code: codeName(code), message, ...(details.length === 0 ? {} : { details: details.length }) };
    return { ...(isStream ? { responses } : {}), error: told };
  }
}

function messageOf(name: string): JsonMessage<unknown> {
  return (messages as unknown as Record<string, JsonMessage<unknown>>)[name] as JsonMessage<unknown>;
}

/** What a case expects, with the texts that it leaves open as they came. */
function fits(found: object, { response, responses, error }: Call): object {
  const came = (found as { error?: { code: string; message: string } }).error;
  const open = (expected: string, actual: string | undefined) => {
    const pattern = expected
      .split("*")
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join("[^]*");
    return new RegExp(`^${pattern}$`).test(actual ?? "") ? actual : expected;
  };
  return {
    ...(response === undefined ? {} : { response }),
    ...(responses === undefined ? {} : { responses }),
    ...(error === undefined
      ? {}
      : { error: { ...error, code: open(error.code, came?.code), message: open(error.message, came?.message) } }),
  };
}
