import { join } from "node:path";
import { AgentRuntime, type JsonObject, serveRoutes } from "@anyplug/contracts/agent";
import type { LogRecord } from "@anyplug/core";
import { weather } from "@anyplug/weather";
import { describe, test } from "@jest/globals";
import { loadPlugin } from "anyplug";
import { cases, run } from "./script.js";

const plugins = join(import.meta.dirname, "..", "..", "plugins", "weather");
const grants = ["agent.settings", "agent.state", "agent.memory", "agent.model", "agent.events"];

function agentAnd() {
  const records: LogRecord[] = [];
  const onLog = (record: LogRecord) => void records.push(record);
  return { records, onLog, agent: new AgentRuntime({ name: "Ada", settings: { CITY: "Bonn" }, onLog }) };
}

describe("a plugin of the agent's own program", () => {
  test.each(cases)("$name", async ({ steps }) => {
    const { records, agent } = agentAnd();
    await using server = await serveRoutes(agent, { maxBodyBytes: 16 });
    const registerWeather = (config: JsonObject) => agent.registerPlugin(weather, { config });
    await registerWeather({});
    await run({ agent, records, server, registerWeather }, steps);
  });
});

describe.each([
  ["ts", "direct"],
  ["ts", "process"],
  ["python", "process"],
  ["rust", "process"],
] as const)("a plugin in %s, %s", (language, transport) => {
  test.each(cases)("$name", async ({ steps }) => {
    const { records, onLog, agent } = agentAnd();
    await using server = await serveRoutes(agent, { maxBodyBytes: 16 });
    const options = { transport, services: agent.services, grants, onLog };
    await using plugin = await loadPlugin(join(plugins, language), options);
    const registerWeather = (config: JsonObject) => agent.registerPlugin(plugin, { config });
    await registerWeather({});
    await run({ agent, records, server, registerWeather }, steps);
  });
});
