/** A plugin in the host's own process. */

import { Code, implement } from "@anyplug/core";
import { Host, Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { Eliza } from "@anyplug/generated/eliza_classic/v1/eliza_anyplug.js";
import { describe, expect, test } from "@jest/globals";
import { loadPlugin } from "../src/index.js";
import { failure, folder, Logs, testPlugin } from "./fixture/plugins.js";

/** Returns a folder with a plugin that is this module. */
function module(text: string): string {
  return folder({ interop: { module: "./plugin.mjs" } }, { "plugin.mjs": text });
}

test("it is direct where that can be, and answers like any other", async () => {
  const host = implement(Host, { ask: ({ question }) => ({ answer: `${question}!` }) });
  const logs = new Logs();
  await using plugin = await loadPlugin(testPlugin, { services: [host], expect: [Test], onLog: logs.take });
  expect([plugin.transport, plugin.name, plugin.version]).toEqual(["direct", "test-plugin", "0.1.0"]);
  const client = plugin.client(Test);
  expect(await client.sum([{ number: 40n }, { number: 2n }])).toMatchObject({ sum: 42n, count: 2 });
  expect((await client.askHost({ question: "well" })).answer).toBe("well!");
  await failure(client.fail({ code: Code.DataLoss, message: "lost" }), Code.DataLoss, "lost");
  await client.harm({ kind: 5, text: "in its log" });
  await logs.find(/in its log$/);
});

test("what its handlers throw goes to the log, with the stack, and to the caller without", async () => {
  const logs = new Logs();
  await using plugin = await loadPlugin(testPlugin, { onLog: logs.take });
  const crash = plugin.client(Test).fail({ message: "my fault", crash: true });
  expect((await failure(crash, Code.Unknown)).message).toBe("my fault");
  expect(logs.lines.join()).toMatch(
    /^anyplug\.test\.v1\.TestService: the handler of \S+\/Fail failed: Error: my fault\n +at /,
  );
});

test("closing it waits for calls in flight, as long as the host says", async () => {
  const plugin = await loadPlugin(testPlugin, { drainTimeoutMs: 50 });
  const client = plugin.client(Test);
  const short = client.wait({ ms: 10 });
  const long = failure(client.wait({ ms: 60_000 }), Code.Unavailable);
  await Promise.all([plugin.close(), plugin.close()]);
  await short;
  await long;
  await failure(client.echo({}), Code.Unavailable);
  expect((await plugin.closed).code).toBe(Code.Unavailable);
});

describe("a load fails, with", () => {
  test("a module that is missing", async () => {
    const path = folder({ interop: { module: "./dist/plugin.js" } });
    const message = `${path}/plugin.json: interop.module: ${path}/dist/plugin.js does not exist; build the plugin, or name another`;
    await failure(loadPlugin(path), Code.NotFound, message);
  });

  test("a module that throws", async () => {
    const path = module('throw new Error("out of ink");');
    const message = `plugin "test-plugin" cannot be imported: ${path}/plugin.mjs: out of ink`;
    await failure(loadPlugin(path), Code.FailedPrecondition, message);
  });

  test("a module without a plugin", async () => {
    await failure(
      loadPlugin(module("export const plugin = 1;")),
      Code.FailedPrecondition,
      /exports no "plugin" that definePlugin made/,
    );
  });

  test("a plugin that refuses its configuration", async () => {
    const message = 'plugin "test-plugin" refused to start: line 7: a rule without an end';
    await failure(
      loadPlugin(testPlugin, { config: { refuse: "line 7: a rule without an end" } }),
      Code.InvalidArgument,
      message,
    );
  });

  test("a service that is expected and not there", async () => {
    await failure(loadPlugin(testPlugin, { expect: [Eliza] }), Code.Unimplemented, /eliza_classic\.v1\.ElizaService/);
  });

  test("a plugin that takes too long, or is not waited for", async () => {
    const path = module('export const plugin = { name: "slow", version: "1", services: () => new Promise(() => {}) };');
    const message = 'plugin "test-plugin" was not ready within 20 ms';
    await failure(loadPlugin(path, { startTimeoutMs: 20 }), Code.DeadlineExceeded, message);
    const abort = new AbortController();
    const loading = loadPlugin(path, { signal: abort.signal });
    abort.abort();
    await failure(loading, Code.Cancelled);
  });
});
