/** Loads every plugin in every language, and prints what came back. */

import { AgentRuntime } from "@anyplug/contracts/agent";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { Eliza } from "@anyplug/generated/eliza_classic/v1/eliza_anyplug.js";
import { InMemoryDb } from "@anyplug/generated/inmemorydb/v1/inmemorydb_anyplug.js";
import { AnyplugError, type LoadOptions, loadPlugin, type Plugin } from "anyplug";

/** What is asked of a plugin, and what it is loaded with. */
interface Question {
  readonly options?: LoadOptions;
  readonly ask: (plugin: Plugin) => Promise<string>;
}

const languages = { typescript: "ts", python: "python", rust: "rust" } as const;
const questions: Readonly<Record<string, () => Question>> = {
  "eliza-classic": eliza,
  inmemorydb: inMemoryDb,
  weather,
  "test-plugin": echo,
};

function eliza(): Question {
  return { ask: async (plugin) => (await plugin.client(Eliza).reply({ text: "Men are all alike." })).text };
}

function inMemoryDb(): Question {
  const ask = async (plugin: Plugin) => {
    const db = plugin.client(InMemoryDb);
    const entries = [
      { key: "east", vector: [1, 0] },
      { key: "north", vector: [0, 1] },
      { key: "north-east", vector: [1, 1] },
    ];
    await db.setMany([{ collection: "winds", entries }]);
    const { matches } = await db.search({ collection: "winds", vector: [0, 2], topK: 2 });
    return matches.map(({ entry, score }) => `${entry?.key} ${score.toFixed(3)}`).join(", ");
  };
  return { ask };
}

/** A plugin for agents: it calls back the agent, which grants that. */
function weather(): Question {
  const agent = new AgentRuntime({ settings: { CITY: "Bonn" } });
  const grants = ["agent.settings", "agent.state", "agent.memory", "agent.model", "agent.events"];
  const ask = async (plugin: Plugin) => {
    await agent.registerPlugin(plugin);
    const question = { content: { text: "Where, and when?" } };
    const { text } = await agent.composeState(question, { include: ["CITY", "SEASON"], onlyIncluded: true });
    await agent.unregisterPlugin("weather");
    return text.replaceAll("\n", " ");
  };
  return { options: { services: agent.services, grants }, ask };
}

function echo(): Question {
  return { ask: async (plugin) => (await plugin.client(Test).echo({ text: "hello" })).text };
}

/** Returns a line of the table; what went wrong stands where the answer would be. */
async function row(name: string, language: keyof typeof languages): Promise<{ ok: boolean; columns: string[] }> {
  try {
    const { options = {}, ask } = (questions[name] ?? echo)();
    await using plugin = await loadPlugin(
      new URL(`../../plugins/${name}/${languages[language]}/`, import.meta.url),
      options,
    );
    return { ok: true, columns: [name, language, plugin.transport, await ask(plugin)] };
  } catch (error) {
    return { ok: false, columns: [name, language, "-", AnyplugError.from(error).toString()] };
  }
}

const names = Object.keys(languages) as (keyof typeof languages)[];
const rows = await Promise.all(Object.keys(questions).flatMap((name) => names.map((language) => row(name, language))));
for (const columns of [["plugin", "language", "transport", "what came back"], ...rows.map((one) => one.columns)]) {
  const [name = "", language = "", transport = "", answer = ""] = columns;
  console.log(`${name.padEnd(15)}${language.padEnd(12)}${transport.padEnd(11)}${answer}`);
}
process.exitCode = rows.every(({ ok }) => ok) ? 0 : 1;
