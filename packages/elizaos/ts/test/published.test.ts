/** A plugin that was written for ElizaOS's TypeScript runtime, in an agent of ours; and what ElizaOS is told of one of ours. */

import { AgentRuntime, localPeer } from "@anyplug/contracts/agent";
import { expect, test } from "@jest/globals";
import { ElizaosBridge, type ElizaPlugin, publishedPlugin } from "../src/index.js";

const where = { name: "where", description: "Where to", required: true, schema: { type: "string", enum: ["a", "b"] } };
const schema = {
  type: "object",
  properties: { where: { type: "string", enum: ["a", "b"], description: "Where to" } },
  required: ["where"],
};

test("it sees who the agent is, as ElizaOS's plugins do from the start", async () => {
  const seen: unknown[] = [];
  const plugin: ElizaPlugin = {
    name: "curious",
    description: "Asks who is there",
    init: async (_, { agentId, character }) => void seen.push(agentId, character?.["name"]),
    models: { WHO: async ({ agentId }) => agentId },
  };
  const agent = new AgentRuntime({ name: "Ada" });
  await agent.registerPlugin(publishedPlugin(plugin));
  expect(seen).toEqual([agent.id, "Ada"]);
  expect(await agent.useModel("WHO", {})).toBe(agent.id);
});

test("its list of parameters is one JSON Schema, and the other way round", async () => {
  const action = { name: "GO", description: "Goes", validate: async () => true, handler: async () => undefined };
  const published = publishedPlugin({ name: "p", description: "d", actions: [{ ...action, parameters: [where] }] });
  expect(published.actions?.[0]?.parameters).toEqual(schema);

  const bridge = new ElizaosBridge();
  const peer = localPeer(published, { name: "bridge", services: bridge.services }, () => {});
  const { actions } = await bridge.plugin(peer);
  expect(actions?.[0]?.parameters).toEqual([{ ...where, schema: schema.properties.where }]);
});
