/** Plugins that were published, or are written, for ElizaOS's runtimes, served unchanged to agents in TypeScript and Rust; to one in Python: python/. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { agents } from "./agents.mjs";
import { serveOpenai } from "./openai.mjs";

// ElizaOS for Python is in an environment of its own, which finds our distribution by path.
const { PEERS_PYTHON: python, PEERS_PYTHONPATH: PYTHONPATH } = process.env;
const inPython = { PYTHONPATH, PYTHONDONTWRITEBYTECODE: "1" };
const folder = (name) => join(import.meta.dirname, name);

for (const [language, load] of Object.entries(agents)) {
  test(`a plugin published for TypeScript, in an agent in ${language}`, async () => {
    const agent = await load({ folder: folder("published") });
    assert.equal(agent.name, "eliza-classic");
    assert.match((await agent.useModel("TEXT_LARGE", { prompt: "I am sad." })).answer, /sad/i);
    const { result, said } = await agent.act("ELIZA_CHAT", { text: "I am sad." });
    assert.equal(result.success, true);
    assert.equal(said.length, 1);
    assert.match(said[0], /\S/);
    await agent.close();
  });

  test(`a plugin published for Python, in an agent in ${language}`, async (t) => {
    const { url, close } = await serveOpenai();
    t.after(close);
    const env = { ...inPython, OPENAI_BASE_URL: url, OPENAI_API_KEY: "sk-of-a-test" };
    const agent = await load({ folder: folder("published-python"), python, env });
    assert.equal(agent.name, "openai");
    const { answer } = await agent.useModel("TEXT_LARGE", { prompt: "I am sad." });
    assert.equal(answer, "You said: I am sad.");
    const streamed = await agent.useModel("TEXT_LARGE_STREAM", { prompt: "one two three" });
    assert.deepEqual(streamed, { answer: "onetwothree", pieces: ["one", "two", "three"] });
    assert.deepEqual((await agent.useModel("TEXT_EMBEDDING", { text: "four" })).answer, [4, 0.5]);
    await agent.close();
  });

  test(`a plugin written for Python that has one of everything, in an agent in ${language}`, async () => {
    const agent = await load({ folder: folder("written"), python, env: inPython, config: { PORT: "Ghent" } });
    const ship = { text: "a ship", data: { mood: "grey" } };
    const moored = await agent.act("DOCK", ship, { parameters: { berth: "a" } });
    const data = { berth: "a", kept: "a ship", listed: 1, none: true, responses: 1, mood: "grey" };
    assert.deepEqual(moored.result.data, data);
    assert.equal(moored.result.text, "True Ghent");
    assert.deepEqual(moored.said, ["Tide: high"]);
    assert.equal((await agent.act("SING", ship)).result.text, "la la");
    const { success, error } = (await agent.act("REFUSE", ship)).result;
    assert.deepEqual([success, error], [false, "no berth is free"]);
    await agent.emitEvent("horn", { times: 3 });
    assert.equal((await agent.useModel("TEXT_LARGE", { prompt: "hello" })).answer, "Ghent: hello [{'times': 3}]");
    const logs = await agent.close();
    assert.deepEqual(
      logs.filter((line) => /^(init|pilot)/.test(line)),
      ["init Ghent 36 Ada", "pilot of Ada starts", "pilot stops"],
    );
  });
}
