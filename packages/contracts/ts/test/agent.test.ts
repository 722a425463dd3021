import { Code, type LogRecord } from "@anyplug/core";
import { describe, expect, test } from "@jest/globals";
import { AgentRuntime, type Memory, serveRoutes } from "../src/agent/index.js";
import { weather } from "./weather.js";

const question: Memory = { content: { text: "How is the weather?", mood: "grey" } };

async function registered() {
  const records: LogRecord[] = [];
  const agent = new AgentRuntime({
    name: "Ada",
    settings: { CITY: "Bonn" },
    onLog: (record) => void records.push(record),
  });
  const { plugin, seen } = weather();
  await agent.registerPlugin(plugin);
  return { agent, seen, records };
}

describe("a plugin of an agent", () => {
  test("is initialized, its services run, and end when it is unregistered", async () => {
    const { agent, seen } = await registered();
    expect(agent.plugins).toEqual(["weather"]);
    expect(seen).toEqual(["init Bonn", "start"]);
    expect(await agent.unregisterPlugin("weather")).toBe(true);
    expect(seen).toEqual(["init Bonn", "start", "stop"]);
    expect(agent.list("actions")).toEqual([]);
    expect(await agent.unregisterPlugin("weather")).toBe(false);
  });

  test("that refuses its configuration is not registered", async () => {
    const agent = new AgentRuntime();
    const refused = agent.registerPlugin(weather().plugin, { config: { city: "" } });
    await expect(refused).rejects.toMatchObject({ code: Code.InvalidArgument, message: /city: expected a name/ });
    expect(agent.plugins).toEqual([]);
  });

  test("comes once, and after those that it depends on", async () => {
    const { agent } = await registered();
    await expect(agent.registerPlugin(weather().plugin)).rejects.toMatchObject({ code: Code.AlreadyExists });
    const sailing = { name: "sailing", dependencies: ["weather", "sea"], priority: 1 };
    await expect(agent.registerPlugin(sailing)).rejects.toMatchObject({
      code: Code.FailedPrecondition,
      message: 'plugin "sailing" depends on sea, not registered; register that first',
    });
    await agent.registerPlugin({ name: "sea" });
    await agent.registerPlugin(sailing);
    expect(agent.plugins).toEqual(["sailing", "weather", "sea"]);
  });

  test("whose action has the name of another's is used second, and that is logged", async () => {
    const { agent, records } = await registered();
    await agent.registerPlugin({ name: "other", actions: [{ name: "FORECAST", handler: () => {} }] });
    const [action] = agent.list("actions");
    expect(action?.plugin.name).toBe("weather");
    expect(records.map(({ message }) => message)).toEqual([
      expect.stringContaining('"weather" and "other" both have FORECAST'),
    ]);
  });
});

describe("the state", () => {
  test("has what the providers say by position; one that fails is left out and logged", async () => {
    const { agent, records } = await registered();
    const state = await agent.composeState(question);
    expect(state.text).toBe("In Bonn.\nIt is autumn.");
    expect(state.values).toEqual({ season: "autumn" });
    expect(state.data).toMatchObject({ providers: { CITY: { data: { lat: 50.7 } }, STARS: {} } });
    expect(records).toMatchObject([{ level: "error", message: 'provider STARS of plugin "weather" failed: cloudy' }]);
  });

  test("has dynamic providers when they are named, and those alone when that is asked for", async () => {
    const { agent } = await registered();
    expect((await agent.composeState(question, { include: ["MOON"] })).text).toBe(
      "Full moon.\nIn Bonn.\nIt is autumn.",
    );
    expect((await agent.composeState(question, { include: ["MOON"], onlyIncluded: true })).text).toBe("Full moon.");
    await expect(agent.composeState(question, { include: ["SUN"] })).rejects.toMatchObject({
      code: Code.NotFound,
      message: 'there is no provider "SUN"; there are: SEASON, CITY, MOON, STARS',
    });
  });
});

describe("actions", () => {
  test("that make sense are those that say so", async () => {
    const { agent } = await registered();
    const names = async (text: string) =>
      (await agent.validActions({ content: { text } })).map(({ description }) => description.name);
    expect(await names("the weather")).toEqual(["FORECAST", "UMBRELLA", "BREAK"]);
    expect(await names("the news")).toEqual(["UMBRELLA", "BREAK"]);
  });

  test("run one after the other: they say things, later ones see what earlier ones returned, a failure is a result", async () => {
    const { agent } = await registered();
    const said: string[] = [];
    const results = await agent.processActions(
      question,
      [{ content: { actions: ["predict_weather", "Umbrella"] } }, { content: { actions: ["BREAK", "FLY"] } }],
      { onContent: ({ text }, name) => void said.push(`${name}: ${text}`) },
    );
    expect(said).toEqual(["FORECAST: Let me look.", "FORECAST: It is autumn."]);
    expect(results.map(({ name, result }) => ({ name, ...result }))).toEqual([
      {
        name: "FORECAST",
        success: true,
        text: "Rain, grey.",
        values: { rain: true },
        data: { id: 36 },
        confidence: 0.5,
      },
      { name: "UMBRELLA", success: true },
      { name: "BREAK", success: false, error: "the clouds are gone" },
      { name: "FLY", success: false, error: "Action not found: FLY" },
    ]);
    expect(await agent.memories.list({ table: "questions" })).toMatchObject([{ content: { text: "asked" } }]);
  });
});

test("evaluators look at what was answered; some always", async () => {
  const { agent } = await registered();
  const answered = await agent.runEvaluators(question, [{ content: { text: "Rain." } }]);
  expect(answered.map(({ name, result }) => [name, result])).toEqual([
    ["LEARN", { success: true, text: "1" }],
    ["COUNT", { success: true }],
  ]);
  expect((await agent.runEvaluators(question, [])).map(({ name }) => name)).toEqual(["COUNT"]);
});

test("an event goes to all handlers; a failing one is logged and harms no other", async () => {
  const { agent, seen, records } = await registered();
  await agent.registerPlugin({
    name: "fragile",
    priority: 1,
    events: {
      storm: [
        () => {
          throw new Error("blown away");
        },
      ],
    },
  });
  await agent.emitEvent("storm", { force: 9 });
  expect(seen.slice(2)).toEqual(['storm {"force":9}', "second"]);
  expect(records.at(-1)?.message).toBe('event storm of plugin "fragile" failed: blown away');
});

test("events that plugins cause in each other come to an end", async () => {
  const records: LogRecord[] = [];
  const agent = new AgentRuntime({ onLog: (record) => void records.push(record) });
  let count = 0;
  await agent.registerPlugin({
    name: "echo",
    events: {
      ping: [
        async (payload, caller) => {
          count += 1;
          await caller.emitEvent("ping", payload);
        },
      ],
    },
  });
  await agent.emitEvent("ping", null);
  expect(count).toBeGreaterThan(1);
  expect(records.at(-1)?.message).toContain("event ping");
});

test("a model streams its text, and returns it; plugins use the models of others", async () => {
  const { agent } = await registered();
  const pieces: string[] = [];
  expect(await agent.useModel("TEXT_SMALL", { n: 1 }, (text) => pieces.push(text))).toBe('a b {"n":1}');
  expect(pieces).toEqual(["a ", "b "]);
  await expect(agent.useModel("IMAGE", {})).rejects.toMatchObject({ code: Code.NotFound });
  await agent.registerPlugin({
    name: "poet",
    actions: [
      {
        name: "SING",
        handler: async ({ agent: caller, say }) => {
          const text = await caller.useModel("TEXT_SMALL", null, (piece) => say({ text: piece }));
          return { success: true, text: String(text) };
        },
      },
    ],
  });
  const said: unknown[] = [];
  const [sung] = await agent.processActions(question, [{ content: { actions: ["SING"] } }], {
    onContent: ({ text }) => said.push(text),
  });
  expect(said).toEqual(["a ", "b "]);
  expect(sung?.result.text).toBe("a b null");
});

test("memories are found by time, room and likeness, changed and forgotten", async () => {
  const { memories } = new AgentRuntime();
  const first = await memories.create({ content: { text: "1" }, roomId: "a", createdAt: 1, embedding: [1, 0] });
  const second = await memories.create({ content: { text: "2" }, roomId: "a", createdAt: 2, embedding: [1, 1] });
  await memories.create({ content: { text: "3" }, roomId: "b", createdAt: 3, embedding: [0, 1] });
  const texts = (found: readonly Memory[]) => found.map(({ content }) => content.text);
  expect(texts(await memories.list())).toEqual(["3", "2", "1"]);
  expect(texts(await memories.list({ roomId: "a", end: 1 }))).toEqual(["1"]);
  expect(texts(await memories.search({ embedding: [1, 0], threshold: 0.5 }))).toEqual(["1", "2"]);
  await memories.update({ id: second, content: { text: "two" } });
  await memories.delete(first);
  await memories.delete(first);
  expect(texts(await memories.list({ count: 5 }))).toEqual(["3", "two"]);
  await expect(memories.get(first)).rejects.toMatchObject({ code: Code.NotFound });
  await expect(memories.create({ id: second, content: {} })).rejects.toMatchObject({ code: Code.AlreadyExists });
});

describe("routes", () => {
  test("are served below the plugin's name, as long as it is registered", async () => {
    const { agent } = await registered();
    await using server = await serveRoutes(agent);
    const answer = await fetch(`${server.url}/weather/city/Bonn?q=1&q=2`, {
      method: "POST",
      body: "hello",
      headers: { "x-kind": "test" },
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get("x-kind")).toBe("test");
    expect(await answer.json()).toEqual({ city: "Bonn", q: ["1", "2"], text: "hello" });
    expect(await (await fetch(`${server.url}/weather/maps/a/b.png`)).text()).toBe("map a/b.png");
    await agent.unregisterPlugin("weather");
    expect((await fetch(`${server.url}/weather/maps/a`)).status).toBe(404);
  });

  test("answer an error with the status of its code, and refuse a body that is too large", async () => {
    const { agent } = await registered();
    await using server = await serveRoutes(agent, { maxBodyBytes: 10 });
    const refused = await fetch(`${server.url}/weather/refuse`);
    expect([refused.status, await refused.json()]).toEqual([
      403,
      { code: "PERMISSION_DENIED", message: "not for you" },
    ]);
    const large = await fetch(`${server.url}/weather/city/Bonn`, { method: "POST", body: "x".repeat(11) });
    expect([large.status, await large.json()]).toEqual([
      413,
      { code: "RESOURCE_EXHAUSTED", message: "the body is over 10 bytes" },
    ]);
  });
});
