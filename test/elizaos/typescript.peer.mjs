/** A plugin of ours in a published ElizaOS. run.mjs installs it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { localPeer } from "@anyplug/contracts/agent";
import { ElizaosBridge } from "@anyplug/elizaos";
import { weather } from "@anyplug/weather";

const peers = join(import.meta.dirname, "peers", "node_modules", "@elizaos");
const { AgentRuntime: ElizaRuntime, InMemoryDatabaseAdapter } = await import(
  join(peers, "core", "dist", "node", "index.node.js")
);

const id = (last) => `00000000-0000-0000-0000-00000000000${last}`;
const question = (text) => ({ id: id(1), entityId: id(2), roomId: id(3), content: { text, mood: "grey" } });

test("a plugin of ours is registered with the published runtime, and does there what it does with ours", async () => {
  const bridge = new ElizaosBridge();
  const failures = [];
  const peer = localPeer(weather, { name: "bridge", services: bridge.services }, (error) => failures.push(error));
  const runtime = new ElizaRuntime({
    character: { name: "Ada", bio: ["tests"], settings: { CITY: "Bonn" } },
    plugins: [],
    adapter: new InMemoryDatabaseAdapter(),
  });
  await runtime.registerPlugin(await bridge.plugin(peer));
  const message = question("How is the weather?");
  const state = await runtime.composeState(message, ["SEASON", "CITY"], true);
  assert.match(state.text, /In Bonn\.\s+It is autumn\./);
  const forecast = runtime.actions.find(({ name }) => name === "FORECAST");
  assert.equal(await forecast.validate(runtime, message), true);
  const said = [];
  const result = await forecast.handler(runtime, message, state, {}, async ({ text }) => {
    said.push(text);
    return [];
  });
  assert.equal(said[0], "Let me look.");
  assert.equal(result.success, true);
  assert.equal(result.text, "Rain, grey.");
  assert.deepEqual(result.values, { rain: true });
  assert.equal(await runtime.useModel("TEXT_SMALL", { n: 1 }).then((text) => text.startsWith("a b ")), true);
  await runtime.emitEvent("storm", { force: 9 });
});

// ElizaOS leaves timers of its own behind.
test.after(() => setImmediate(() => process.exit()));
