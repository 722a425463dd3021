import { join } from "node:path";
import { AgentRuntime, type Memory } from "@anyplug/contracts/agent";
import { Code, type LogRecord } from "@anyplug/core";
import { describe, expect, test } from "@jest/globals";
import { type LineLoadOptions, loadLinePlugin } from "../src/index.js";

const program = join(import.meta.dirname, "plugin.mjs");
const records: LogRecord[] = [];

function load(mode: string, options: Partial<LineLoadOptions> = {}) {
  records.length = 0;
  const onLog = (record: LogRecord) => void records.push(record);
  return loadLinePlugin({ command: [process.execPath, program, mode], onLog, ...options });
}

const memory: Memory = {
  id: "m1",
  entityId: "e1",
  roomId: "r1",
  createdAt: 1_700_000_000_123,
  content: { text: "Grüße, 日本 👋", inReplyTo: "m0", mood: { big: [1, 2.5, null] } },
  embedding: [0.1, 0.2],
  metadata: { type: "message" },
  favourite: true,
};

describe("a plugin that speaks the line protocol", () => {
  test("does for an agent whatever a plugin does", async () => {
    await using loaded = await load("plain");
    const agent = new AgentRuntime({ onLog: (record) => void records.push(record) });
    await agent.registerPlugin(loaded.for(agent));
    expect(agent.list("providers").map(({ description }) => description)).toMatchObject([
      { name: "TIME", dynamic: true, position: 3 },
    ]);
    expect((await agent.validActions({ content: { text: "no" } })).length).toBe(0);
    const state = await agent.composeState(memory, { include: ["TIME"] });
    expect(state).toMatchObject({ text: "noon", values: { h: 12 } });
    const [result] = await agent.processActions(memory, [{ content: { actions: ["repeat"] } }], { state });
    expect(result).toMatchObject({ name: "ECHO", plugin: "strange" });
    // All members come back, those that no schema knows too.
    expect(result?.result.data).toEqual({ memory, state, options: {} });
    expect(result?.result.text).toBe("Grüße, 日本 👋");
    const judged = await agent.runEvaluators(memory, []);
    expect(judged).toMatchObject([{ name: "JUDGE", result: { success: true } }]);
    const [{ plugin }] = agent.routes as [(typeof agent.routes)[number]];
    const query = [{ name: "q", value: "1" }];
    const answer = await plugin.handleRoute({ path: "/now", method: "GET", query });
    expect(answer.status).toBe(202);
    expect(new TextDecoder().decode(answer.body)).toBe('{"seen":{"q":"1"}}');
    await agent.unregisterPlugin("strange");
    expect(records.at(-1)?.message).toContain('service clock of plugin "strange" failed: it is stuck');
  });

  test("may print before it is ready; that is log", async () => {
    await using loaded = await load("plain");
    expect(loaded.definition.name).toBe("strange");
    expect(records.map(({ message }) => message)).toEqual(["Starting up…", '{"almost": "a message"}']);
  });

  test("refuses its configuration with its own reason", async () => {
    await using loaded = await load("plain");
    const agent = new AgentRuntime();
    const refused = agent.registerPlugin(loaded.for(agent), { config: { refuse: true } });
    await expect(refused).rejects.toMatchObject({
      code: Code.FailedPrecondition,
      message: expect.stringContaining("it refused its configuration: no key"),
    });
  });

  test("fails the one request that an error without an id must be about", async () => {
    await using loaded = await load("plain");
    const agent = new AgentRuntime();
    await agent.registerPlugin(loaded.for(agent));
    const [failed] = await agent.processActions(memory, [{ content: { actions: ["FAIL"] } }]);
    expect(failed?.result).toEqual({ success: false, error: 'Something broke ({"line":7})' });
  });

  test("takes and gives messages of 10 MB, and a longer one is refused before it is sent", async () => {
    await using loaded = await load("plain", { maxMessageBytes: 24 << 20 });
    const agent = new AgentRuntime();
    await agent.registerPlugin(loaded.for(agent));
    const echo = async (text: string) => {
      const [one] = await agent.processActions({ content: { text } }, [{ content: { actions: ["ECHO"] } }]);
      return one?.result;
    };
    const large = "ü".repeat(5_000_000);
    expect((await echo(large))?.text === large).toBe(true);
    expect((await echo("x".repeat(25 << 20)))?.error).toContain("raise maxMessageBytes");
    expect((await echo("still there"))?.text).toBe("still there");
  });

  test("answers a thousand requests in whatever order", async () => {
    await using loaded = await load("reversed");
    const agent = new AgentRuntime();
    await agent.registerPlugin(loaded.for(agent));
    const state = { text: "", values: {}, data: {} };
    const texts = Array.from({ length: 1000 }, (_, index) => `text ${index}`);
    const results = await Promise.all(
      texts.map((text) => agent.processActions({ content: { text } }, [{ content: { actions: ["ECHO"] } }], { state })),
    );
    expect(results.map(([one]) => one?.result.text)).toEqual(texts);
  });

  test("that ends ends its requests, and is unregistered", async () => {
    await using loaded = await load("plain");
    const agent = new AgentRuntime();
    await agent.registerPlugin(loaded.for(agent));
    const never = agent.processActions(memory, [{ content: { actions: ["NEVER"] } }]);
    const closed = loaded.close();
    expect((await never)[0]?.result.error).toMatch(/plugin ".*" (exited|was ended|was killed)/);
    await closed;
    await loaded.closed;
    expect(agent.plugins).toEqual([]);
  });

  test("that ends before it is ready is noticed at once, with its last lines", async () => {
    await expect(load("exits")).rejects.toMatchObject({
      code: Code.Unavailable,
      message: expect.stringMatching(/exited with status 3.*no database/s),
    });
  });

  test("that is never ready is given up", async () => {
    await expect(load("silent", { startTimeoutMs: 200 })).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  });
});

test("the protocol of methods is driven too", async () => {
  await using loaded = await load("methods", { dialect: "methods" });
  const agent = new AgentRuntime({ onLog: (record) => void records.push(record) });
  await expect(agent.registerPlugin(loaded.for(agent))).rejects.toMatchObject({ code: Code.Unimplemented });
  const { services: _, ...withoutServices } = loaded.definition;
  await agent.registerPlugin({ ...withoutServices, name: "methods" });
  expect((await agent.validActions(memory)).map(({ description }) => description.name)).toEqual(["ECHO"]);
  const results = await agent.processActions(memory, [{ content: { actions: ["ECHO", "FAIL"] } }]);
  expect(results.map(({ result }) => result)).toEqual([
    { success: true, text: "Grüße, 日本 👋" },
    { success: false, error: "broke" },
  ]);
  expect(await agent.runEvaluators(memory, [])).toEqual([]);
  expect(await loaded.peer.call("generateResponse", { input: "hi" })).toBe("you said hi");
});
