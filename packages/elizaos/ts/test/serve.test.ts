import { type AgentPluginDefinition, AgentRuntime, type JsonObject, localPeer } from "@anyplug/contracts/agent";
import { describe, expect, test } from "@jest/globals";
import { LinePeer, LineServer } from "../src/index.js";

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

  test.each<[string, JsonObject, JsonObject]>([
    ["init", { type: "plugin.init", config: { key: "k" } }, { type: "plugin.init.result", success: true }],
    [
      "init that fails",
      { type: "plugin.init", config: { key: "" } },
      { type: "plugin.init.result", success: false, error: "key: expected text, got nothing" },
    ],
    [
      "validate",
      { type: "action.validate", action: "HELLO", memory: { content: { text: "hello" } }, state: null },
      { type: "validate.result", valid: true },
    ],
    [
      "validate of an unknown action",
      { type: "action.validate", action: "FLY", memory: {} },
      { type: "validate.result", valid: false },
    ],
    [
      "invoke",
      { type: "action.invoke", action: "HELLO", memory: { who: "you", content: {} }, options: { n: 1 } },
      { type: "action.result", result: { success: true, text: "Hello, you", data: { options: { n: 1 } } } },
    ],
    [
      "invoke that throws",
      { type: "action.invoke", action: "BREAK", memory: {} },
      { type: "action.result", result: { success: false, error: "broken" } },
    ],
    [
      "invoke of an unknown action",
      { type: "action.invoke", action: "FLY", memory: {} },
      { type: "action.result", result: { success: false, error: "Action not found: FLY" } },
    ],
    [
      "provider",
      { type: "provider.get", provider: "TIME", memory: {}, state: { text: "before" } },
      { type: "provider.result", result: { text: "noon", values: { was: "before" }, data: null } },
    ],
    [
      "unknown provider",
      { type: "provider.get", provider: "MOON", memory: {}, state: {} },
      { type: "provider.result", result: { text: null, values: null, data: null } },
    ],
    [
      "evaluator",
      { type: "evaluator.invoke", evaluator: "JUDGE", memory: {} },
      { type: "action.result", result: { success: true } },
    ],
    [
      "unknown evaluator",
      { type: "evaluator.invoke", evaluator: "NOBODY", memory: {} },
      { type: "action.result", result: null },
    ],
    ["service", { type: "service.start", service: "clock" }, { type: "service.response", success: true }],
    ["service, spelled otherwise", { type: "service.stop", serviceType: "clock" }, { success: true }],
    [
      "unknown service",
      { type: "service.start", service: "none" },
      { type: "error", error: 'plugin "served" has no service "none"; it has clock' },
    ],
    [
      "route, flat",
      { type: "route.handle", path: "/now", method: "POST", query: { q: "1" }, headers: { "X-H": "2" }, body: "b" },
      { type: "route.response", status: 201, body: { q: "1", h: "2", body: "b" } },
    ],
    [
      "route, in an object",
      { type: "route.handle", path: "/now", request: { method: "post", query: {}, body: { j: 1 } } },
      { status: 201, result: { status: 201, body: { q: null, h: null, body: '{"j":1}' } } },
    ],
    ["unknown type", { type: "fly" }, { type: "error", error: "Unknown request type: fly" }],
    [
      "a memory that is none",
      { type: "action.invoke", action: "HELLO", memory: { content: { text: 5 } } },
      { type: "error", error: "memory.content.text: expected text, got 5" },
    ],
  ])("answers %s", async (_, request, answer) => {
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

  test("answers methods with results", async () => {
    const send = await served();
    const memory = { who: "you", content: { text: "hello" } };
    const asked = [
      { id: 1, method: "validateAction", params: { name: "HELLO", memory, state: null } },
      { id: 2, method: "invokeAction", params: { name: "FLY", memory } },
      { id: 3, method: "validateEvaluator", params: { name: "JUDGE", memory } },
      { id: 4, method: "generateResponse", params: { input: "why" } },
      { id: 5, method: "fly" },
    ];
    const answers = new Map((await send(...asked)).map((answer) => [answer["id"], answer]));
    expect([1, 2, 3, 4, 5].map((id) => answers.get(id))).toEqual([
      { id: 1, result: true },
      { id: 2, result: { success: false, error: "Action not found: FLY" } },
      { id: 3, result: false },
      { id: 4, result: "answer to why" },
      { id: 5, error: "Unknown method: fly" },
    ]);
  });
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
