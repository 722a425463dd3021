import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { type AgentPluginDefinition, AgentRuntime, type JsonObject, localPeer } from "@anyplug/contracts/agent";
import { describe, expect, test } from "@jest/globals";
import { LinePeer, LineServer, serveElizaos } from "../src/index.js";

/** What each language's server answers. */
const lines: readonly { name: string; request: JsonObject; answer: JsonObject }[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "..", "..", "..", "test", "agent", "lines.json"), "utf8"),
);

const definition: AgentPluginDefinition = {
  name: "served",
  description: "Serves",
  init: ({ key }) => {
    if (key === "") throw new Error("key: expected text, got nothing");
  },
  actions: [
    {
      name: "HELLO",
      similes: ["HI"],
      validate: ({ message }) => message.content.text === "hello",
      handler: ({ message, options }) => ({ success: true, text: `Hello, ${message["who"]}`, data: { options } }),
    },
    {
      name: "BREAK",
      handler: () => {
        throw new Error("broken");
      },
    },
  ],
  providers: [{ name: "TIME", get: ({ state }) => ({ text: "noon", values: { was: state.text } }) }],
  evaluators: [{ name: "JUDGE", validate: () => false, handler: () => ({ success: true }) }],
  services: [{ type: "clock", start: () => {}, stop: () => {} }],
  routes: [
    {
      path: "/now",
      method: "POST",
      handler: ({ query, headers, body }) => ({
        status: 201,
        body: { q: query.get("q"), h: headers.get("x-h"), body: new TextDecoder().decode(body) },
      }),
    },
  ],
  models: { TEXT_LARGE: (params) => `answer to ${params}` },
};

/** Serves the plugin, and returns a function that sends lines and returns the answers in order. */
async function served() {
  const answers: JsonObject[] = [];
  let arrived: () => void = () => {};
  const write = (bytes: Uint8Array) => {
    for (const line of new TextDecoder().decode(bytes).trim().split("\n")) answers.push(JSON.parse(line));
    arrived();
  };
  const agent = { name: "host", services: new AgentRuntime().services };
  const server = await LineServer.start(
    localPeer(definition, agent, () => {}),
    { write },
  );
  return async (...requests: (JsonObject | string)[]): Promise<JsonObject[]> => {
    const before = answers.length;
    for (const request of requests) {
      const line = typeof request === "string" ? request : JSON.stringify(request);
      server.data(new TextEncoder().encode(`${line}\n`));
    }
    while (answers.length < before + requests.length) {
      await new Promise<void>((resolve) => {
        arrived = resolve;
      });
    }
    return requests.length === 0 ? answers.slice(0, before) : answers.slice(before);
  };
}

describe("a plugin served by the line protocol", () => {
  test("says at first what it has", async () => {
    const send = await served();
    const [ready] = await send();
    expect(ready).toMatchObject({
      type: "ready",
      manifest: {
        name: "served",
        language: "typescript",
        actions: [{ name: "HELLO", similes: ["HI"] }, { name: "BREAK" }],
        routes: [{ path: "/now", method: "POST" }],
      },
    });
  });

  test.each(lines)("answers $name", async ({ request, answer }) => {
    const send = await served();
    expect(await send({ id: "7", ...request })).toMatchObject([{ id: "7", ...answer }]);
  });

  test("answers what is no JSON with an error of no id", async () => {
    const send = await served();
    expect(await send("{oops", "[1]")).toMatchObject([
      { type: "error", id: "", error: "Parse error" },
      { type: "error", id: "", error: "Invalid request: expected an object" },
    ]);
  });
});

test("a line that is too long is refused once, and the next one is answered", async () => {
  const send = await served();
  expect(await send("x".repeat((10 << 20) + 1), { id: "8", type: "fly" })).toMatchObject([
    { type: "error", id: "", error: "a line of over 10485760 bytes" },
    { type: "error", id: "8" },
  ]);
});

test("it is a program of its own until its input ends", async () => {
  const told: unknown[] = [];
  const write = (bytes: Uint8Array, _: string, done: () => void) => {
    const { id, type } = JSON.parse(bytes.toString());
    told.push(id ?? type);
    done();
  };
  const input = Readable.from([Buffer.from('{"type":"fly","id":"1"}\n{"id":2,'), Buffer.from('"method":"fly"}\n')]);
  await serveElizaos(definition, { input, output: new Writable({ write }) });
  expect(told).toEqual(["ready", "1", 2]);
});

test("what is served can be driven: a plugin comes through the protocol as it was", async () => {
  const agent = new AgentRuntime();
  const toServer: Uint8Array[] = [];
  let server: LineServer | undefined;
  const peer = new LinePeer({
    write: (bytes) => (server === undefined ? toServer.push(bytes) : server.data(bytes)),
    onFailure: (error) => {
      throw error;
    },
  });
  server = await LineServer.start(
    localPeer(definition, agent, () => {}),
    { write: (bytes) => peer.data(bytes) },
  );
  await agent.registerPlugin(await peer.plugin());
  const results = await agent.processActions({ who: "Ada", content: { text: "hello" } }, [
    { content: { actions: ["HI", "BREAK"] } },
  ]);
  expect(results.map(({ result }) => result)).toEqual([
    { success: true, text: "Hello, Ada", data: { options: {} } },
    { success: false, error: "broken" },
  ]);
  await agent.unregisterPlugin("served");
});
