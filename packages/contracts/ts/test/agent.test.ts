/** What is TypeScript's own; what agents of all languages do is in test/agent. */
import { Code, type LogRecord } from "@anyplug/core";
import { expect, test } from "@jest/globals";
import { AgentRuntime, agentPlugin } from "../src/agent/index.js";

test("an event whose handler fails is logged, and harms no other", async () => {
  const records: LogRecord[] = [];
  const seen: unknown[] = [];
  const agent = new AgentRuntime({ onLog: (record) => void records.push(record) });
  const fail = () => {
    throw new Error("blown away");
  };
  await agent.registerPlugin({ name: "fragile", priority: 1, events: { storm: [fail] } });
  await agent.registerPlugin({ name: "sturdy", events: { storm: [(payload) => void seen.push(payload)] } });
  await agent.emitEvent("storm", { force: 9 });
  expect(seen).toEqual([{ force: 9 }]);
  expect(records.at(-1)?.message).toBe('event storm of plugin "fragile" failed: blown away');
  // The program's own code: where it failed is told, too.
  expect(records[0]?.message).toMatch(/HandleEvent failed: Error: blown away\n +at /);
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

test("a plugin learns who the agent is when it is registered", async () => {
  const seen: unknown[] = [];
  const agent = new AgentRuntime({ name: "Ada" });
  await agent.registerPlugin({ name: "curious", init: (_, { id, name }) => void seen.push(id, name) });
  expect(seen).toEqual([agent.id, "Ada"]);
});

test("a name comes once", () => {
  const action = { name: "A", handler: () => {} };
  const twice = () => agentPlugin({ name: "twice", actions: [action, action] });
  expect(twice).toThrow(
    expect.objectContaining({ code: Code.InvalidArgument, message: 'action "A" is defined twice' }),
  );
});

test("what JSON does not know is refused by its name", async () => {
  const agent = new AgentRuntime();
  await agent.registerPlugin({ name: "model", models: { M: (params) => params } });
  const refused = agent.useModel("M", { big: 1n } as never);
  await expect(refused).rejects.toMatchObject({
    code: Code.InvalidArgument,
    message: expect.stringMatching(/^params has no JSON: /),
  });
});
