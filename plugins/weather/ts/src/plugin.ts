/** A plugin that has one of everything that agents know. What happens to it, it tells to the agent's log. */

import { type AgentPluginDefinition, agentPlugin } from "@anyplug/contracts/agent";
import { AnyplugError, Code } from "@anyplug/core";
import { definePlugin, type PluginDefinition } from "@anyplug/sdk";

/** What the plugin adds to an agent. */
export const weather: AgentPluginDefinition = {
  name: "weather",
  description: "Knows the weather",
  init: async ({ city }, agent) => {
    if (city === "") throw new AnyplugError(Code.InvalidArgument, "city: expected a name, got nothing");
    agent.log("info", `init ${city ?? (await agent.getSetting("CITY"))}`);
  },
  actions: [
    {
      name: "FORECAST",
      description: "Tells the weather of tomorrow",
      similes: ["PREDICT_WEATHER"],
      validate: ({ message }) => message.content.text?.includes("weather") ?? false,
      handler: async ({ message, state, say, agent }) => {
        say({ text: "Let me look." });
        const id = await agent.memories.create({ content: { text: "asked" }, roomId: "r" }, "questions");
        say({ text: `It is ${state.values["season"]}.` });
        const text = `Rain, ${message.content["mood"]}.`;
        return { success: true, text, values: { rain: true }, data: { id: id.length }, confidence: 0.5 };
      },
    },
    {
      name: "UMBRELLA",
      handler: ({ state }) => ({ success: state.values["rain"] === true }),
    },
    {
      name: "BREAK",
      handler: () => {
        throw new AnyplugError(Code.Unavailable, "the clouds are gone");
      },
    },
    {
      name: "SING",
      validate: () => false,
      handler: async ({ agent, say, options }) => {
        const text = await agent.useModel("TEXT_SMALL", options, (piece) => say({ text: piece }));
        return { success: true, text: String(text) };
      },
    },
    {
      name: "ECHO",
      validate: () => false,
      handler: async ({ message, options, responses, agent }) => {
        const state = await agent.composeState(message, { include: ["CITY"], onlyIncluded: true });
        return { success: true, data: { message, options, responses, state } };
      },
    },
  ],
  providers: [
    { name: "SEASON", position: 2, get: () => ({ text: "It is autumn.", values: { season: "autumn" } }) },
    {
      name: "CITY",
      position: 1,
      get: async ({ agent }) => ({ text: `In ${await agent.getSetting("CITY")}.`, data: { lat: 50.7 } }),
    },
    { name: "DIARY", private: true, get: () => ({ text: "Dear diary." }) },
    { name: "MOON", dynamic: true, position: -1, get: () => ({ text: "Full moon." }) },
    {
      name: "STARS",
      get: () => {
        throw new AnyplugError(Code.Unavailable, "cloudy");
      },
    },
  ],
  evaluators: [
    { name: "LEARN", handler: ({ responses }) => ({ success: true, text: `${responses.length}` }) },
    { name: "COUNT", alwaysRun: true, validate: ({ state }) => state.text !== "", handler: () => {} },
  ],
  services: [
    { type: "station", start: (agent) => agent.log("info", "start"), stop: (agent) => agent.log("info", "stop") },
  ],
  routes: [
    {
      path: "/city/:name",
      method: "POST",
      handler: ({ params, query, headers, body }) => ({
        status: 201,
        headers: { "x-kind": headers.get("x-kind") ?? "" },
        body: { city: params["name"], q: query.getAll("q"), text: new TextDecoder().decode(body) },
      }),
    },
    { path: "/maps", method: "STATIC", handler: ({ params }) => ({ body: `map ${params["*"]}` }) },
    {
      path: "/refuse",
      method: "GET",
      handler: () => {
        throw new AnyplugError(Code.PermissionDenied, "not for you");
      },
    },
  ],
  events: {
    storm: [
      (payload, agent) => agent.log("info", `storm ${JSON.stringify(payload)}`),
      (_, agent) => agent.log("info", "second"),
    ],
    gust: [
      async (payload, agent) => {
        agent.log("info", "gust");
        await agent.emitEvent("gust", payload);
      },
    ],
  },
  models: {
    TEXT_SMALL: (params, { give }) => {
      for (const word of ["a ", "b "]) give(word);
      return `a b ${JSON.stringify(params)}`;
    },
  },
};

/** The plugin, to be loaded. */
export const plugin: PluginDefinition = definePlugin({
  name: "weather",
  version: "0.1.0",
  services: [agentPlugin(weather)],
});
