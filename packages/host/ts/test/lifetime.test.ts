/** What a plugin's process may do while it lives, and how it is closed. */

import { readdirSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { Code, implement } from "@anyplug/core";
import { HarmRequest_Kind as Kind } from "@anyplug/generated/anyplug/test/v1/test.js";
import { Host, Secret, Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { describe, expect, test } from "@jest/globals";
import { type LoadOptions, loadPlugin, type Plugin } from "../src/index.js";
import { failure, isRunning, Logs, program, script, testPlugin } from "./fixture/plugins.js";

/** A peer that sends back what comes: the magic, a HELLO, a PING, and at last the PONG to it. Enough for a connection. */
const echo = "cat <&3 >&3";
const served = `import { definePlugin, log, serve } from "@anyplug/sdk";
  const plugin = definePlugin({ name: "test-plugin", version: "0.1.0", services: [] });`;

function load(options: LoadOptions = {}): Promise<Plugin> {
  return loadPlugin(testPlugin, { transport: "process", ...options });
}

describe.each(["process", "stdio"] as const)("over %s, a plugin", (transport) => {
  test("may print what it likes, before its hello and later", async () => {
    const logs = new Logs();
    const path = program(`console.log("loading anyplug"); process.stdout.write("half a line"); ${served}
      const serving = serve(plugin); console.log("later"); console.error("an error"); process.stdout.write("\\0\\x01 bytes\\n"); await serving;`);
    await using plugin = await loadPlugin(path, { transport, onLog: logs.take });
    expect(plugin.transport).toBe(transport);
    await logs.find(/^stdout: loading anyplug$/);
    await logs.find(transport === "process" ? /^stdout: half a linelater$/ : /^stdout: half a line$/);
    await logs.find(/: later$|linelater$/);
    await logs.find(/^stderr: an error$/);
    await logs.find(/bytes$/);
  });

  test("has an empty stdin", async () => {
    await using plugin = await load({ transport });
    expect((await plugin.client(Test).harm({ kind: Kind.KIND_STDIN })).text).toBe("");
    expect((await plugin.client(Test).echo({ text: "still there" })).text).toBe("still there");
  });

  test("takes a message of 8 MiB under a raised limit, and no larger one than it is told", async () => {
    const data = Buffer.alloc(8 << 20, "anyplug ");
    await using plugin = await load({ transport, limits: { maxMessageBytes: 9 << 20, maxBufferBytes: 32 << 20 } });
    const { data: echoed } = await plugin.client(Test).echo({ data });
    expect(data.equals(echoed)).toBe(true);
    await using small = await load({ transport });
    await failure(small.client(Test).echo({ data }), Code.ResourceExhausted);
    expect((await small.client(Test).echo({ text: "still there" })).text).toBe("still there");
  });
});

test.each(["process", "stdio"] as const)("a plugin may take its time before it serves, over %s", async (transport) => {
  const path =
    program(`import { setTimeout } from "node:timers/promises"; import { definePlugin, implement, serve } from "@anyplug/sdk";
    import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
    const services = () => setTimeout(200, [implement(Test, { echo: ({ text }) => ({ text }) })]);
    await serve(definePlugin({ name: "test-plugin", version: "0.1.0", services }));`);
  await using plugin = await loadPlugin(path, { transport });
  expect((await plugin.client(Test).echo({ text: "there" })).text).toBe("there");
});

test("what a plugin prints and logs comes as records, and its process has its configuration", async () => {
  const logs = new Logs();
  const path = program(`import { definePlugin, implement, log, serve } from "@anyplug/sdk";
    import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
    console.log("config", process.env.ANYPLUG_CONFIG);
    console.log("env", "ANYPLUG_TEST_TOKEN" in process.env, "ANYPLUG_CHANNEL" in process.env);
    log.info("not connected yet");
    const echo = () => { log.warn("low on ink", { left: "3" }); return {}; };
    const serving = serve(definePlugin({ name: "test-plugin", version: "0.1.0", services: [implement(Test, { echo })] }));
    console.log("channel", "ANYPLUG_CHANNEL" in process.env);
    await serving;`);
  process.env["ANYPLUG_TEST_TOKEN"] = "secret";
  await using plugin = await loadPlugin(path, { config: { script: "x", n: [1] }, onLog: logs.take });
  await logs.find(/^stdout: config {"script":"x","n":\[1\]}$/);
  await logs.find(/^stdout: env false true$/);
  await logs.find(/^stdout: channel false$/);
  await logs.find(/^stderr: info not connected yet$/);
  await plugin.client(Test).echo({});
  await logs.find(/^: low on ink$/);
});

test("the plugin's own children do not hold its channel", async () => {
  const logs = new Logs();
  const path =
    program(`import { spawnSync } from "node:child_process"; import { readlinkSync } from "node:fs"; ${served}
    const channel = readlinkSync("/proc/self/fd/3");
    const { stdout } = spawnSync("ls", ["-l", "/proc/self/fd"]);
    console.log(channel.startsWith("socket:"), stdout.toString().includes(channel)); await serve(plugin);`);
  await using _ = await loadPlugin(path, { onLog: logs.take });
  await logs.find(/^stdout: true false$/);
});

test("messages that are kept stay as they came, whatever is read later", async () => {
  await using plugin = await load();
  const kept: Uint8Array[] = [];
  const sent = Array.from({ length: 300 }, (_, i) => ({ data: Buffer.alloc(1 + i * 401, i) }));
  for await (const { data } of plugin.client(Test).converse(sent)) kept.push(data);
  expect(kept.map((data, i) => sent[i]?.data.equals(data))).toEqual(sent.map(() => true));
});

test("a plugin calls its host within a call, by what it was granted", async () => {
  const host = implement(Host, {
    async ask({ question, depth }, context) {
      if (depth === 0) return { answer: `${question}? from ${context.origin.join(" ")}` };
      return context.client(Test).askHost({ question, depth: depth - 1 });
    },
  });
  const secret = implement(Secret, { reveal: () => ({ value: "42" }) });
  await using plugin = await load({ services: [host, secret], grants: ["test.secret"], hostName: "tester" });
  const { answer } = await plugin.client(Test).askHost({ question: "who", depth: 2 });
  expect(answer).toBe("who? from tester test-plugin tester test-plugin tester");
});

test("the origin goes along from a call within this process to one by bytes, and back", async () => {
  const plugins: Plugin[] = [];
  const host = implement(Host, {
    // Asks the two in turn, each within the call of the other.
    async ask({ depth }, context) {
      if (depth === 0) return { answer: context.origin.join(" ") };
      return { ...(await plugins[depth % 2]?.client(Test).askHost({ depth: depth - 1 }, { within: context })) };
    },
  });
  await using near = await load({ transport: "direct", services: [host], hostName: "tester" });
  await using far = await load({ services: [host], hostName: "tester" });
  plugins.push(near, far);
  for (const plugin of plugins) {
    for (const depth of [1, 2, 3])
      expect((await plugin.client(Test).askHost({ depth })).answer).toBe(
        `tester${" test-plugin tester".repeat(depth)}`,
      );
    await failure(plugin.client(Test).askHost({ depth: 1000 }), Code.FailedPrecondition, /over the limit of 16/);
  }
});

test("a grant that the manifest does not name is logged and not given", async () => {
  const logs = new Logs();
  await using _ = await load({ grants: ["test.other"], onLog: logs.take });
  expect(logs.lines).toContain(
    `anyplug: capability "test.other" is not granted: capabilities in ${testPlugin}/plugin.json does not name it`,
  );
});

test.each([
  ["an uncaught exception", 'throw new Error("my fault");'],
  ["an unhandled rejection", 'Promise.reject(new Error("my fault"));'],
])("%s ends the plugin with status 1, and the host learns what it was", async (_, fault) => {
  const path = program(`import { definePlugin, implement, serve } from "@anyplug/sdk";
    import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
    const echo = () => new Promise(() => setImmediate(() => { ${fault} }));
    await serve(definePlugin({ name: "test-plugin", version: "0.1.0", services: [implement(Test, { echo })] }));`);
  await using plugin = await loadPlugin(path);
  const { message } = await failure(plugin.client(Test).echo({}), Code.Unavailable);
  expect(message).toMatch(/plugin "test-plugin" exited with status 1; its last lines on stderr:\n/);
  expect(message).toContain("Error: my fault");
  expect(message).toContain((await plugin.closed).message);
});

describe("closing a plugin", () => {
  test("waits for calls in flight, refuses new ones, and may be asked for again and again", async () => {
    const plugin = await load({ drainTimeoutMs: 60_000 });
    const client = plugin.client(Test);
    await client.echo({});
    const waiting = client.wait({ ms: 300 });
    const closing = [plugin.close(), plugin.close()];
    await failure(client.echo({}), Code.Unavailable);
    await waiting;
    await Promise.all(closing);
    await plugin.close();
    await plugin[Symbol.asyncDispose]();
    expect((await plugin.closed).code).toBe(Code.Unavailable);
    await failure(client.echo({}), Code.Unavailable);
  });

  test("waits no longer than the host says", async () => {
    const plugin = await load({ drainTimeoutMs: 50 });
    const waiting = failure(plugin.client(Test).wait({ ms: 60_000 }), Code.Unavailable);
    await plugin
      .client(Test)
      .waitReport({ atLeast: 0 }, { timeoutMs: 100 })
      .catch(() => {});
    await plugin.close();
    await waiting;
  });

  test("ends a process that ignores the end of its channel and TERM", async () => {
    const logs = new Logs();
    const plugin = await loadPlugin(script(`trap '' TERM; ${echo} & echo $$; while :; do :; done`), {
      onLog: logs.take,
    });
    const pid = Number(await logs.find(/^stdout: (\d+)$/));
    await plugin.close();
    expect(isRunning(pid)).toBe(false);
  });

  test("ends a process whose handler hangs", async () => {
    const plugin = await load({ drainTimeoutMs: 50 });
    await plugin.client(Test).echo({});
    const hanging = failure(plugin.client(Test).harm({ kind: Kind.KIND_HANG }), Code.Unavailable);
    await plugin.close();
    await hanging;
  });

  test("leaves no descriptor behind, two hundred times", async () => {
    const path = script(`exec ${echo}`);
    const round = async () => (await loadPlugin(path)).close();
    await round();
    const before = readdirSync("/proc/self/fd").length;
    for (let i = 0; i < 200; i++) await round();
    // The system may tell of the last ends a moment later.
    while (readdirSync("/proc/self/fd").length > before) await setImmediate();
  });
});
