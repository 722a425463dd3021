/** A host loads by its address a plugin that is served to JSON-RPC peers, in every language: both directions meet. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Code, type MethodDescriptor } from "@anyplug/core";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { definePlugin, listen } from "@anyplug/sdk";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { loadPlugin } from "anyplug";
import { programs } from "./programs.js";

describe.each(programs)("a plugin in $language at an address", ({ command: [program, ...args], cwd }) => {
  let server: ChildProcess;
  let address: string;

  beforeAll(async () => {
    const env = { ...process.env, ANYPLUG_LISTEN: "json-rpc+tcp://127.0.0.1:0" };
    server = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "ignore"] });
    if (server.stdout === null) throw new Error("it is a pipe");
    const [line] = await once(server.stdout, "data");
    [address = ""] = /json-rpc\+tcp:\S+/.exec(String(line)) ?? [];
  });

  afterAll(async () => {
    const ended = once(server, "close");
    server.kill("SIGTERM");
    await ended;
  });

  test("is called by the ordinary client", async () => {
    await using plugin = await loadPlugin(address, { expect: [Test] });
    expect([plugin.name, plugin.transport]).toEqual([address, "tcp"]);
    const client = plugin.client(Test);
    expect((await client.echo({ text: "a", data: Uint8Array.of(1, 2) })).data).toEqual(Uint8Array.of(1, 2));
    const indices = [];
    for await (const { index } of client.count({ count: 100, size: 1000 })) indices.push(index);
    expect(indices).toEqual([...indices.keys()]);
    expect(indices.length).toBe(100);
    expect(await client.sum([{ number: 20n }, { number: 22n }])).toMatchObject({ sum: 42n, count: 2 });
    await expect(client.fail({ code: 5, message: "gone", detail: "why" })).rejects.toMatchObject({
      code: Code.NotFound,
      message: "gone",
      details: [{ typeUrl: "type.googleapis.com/anyplug.test.v1.FailDetail" }],
    });
    const other = { ...Test, methods: [] as MethodDescriptor[] };
    other.methods.push({ ...(Test.methods[0] as MethodDescriptor), service: other, path: "no.such.Service/Echo" });
    await expect(plugin.link.unary(other.methods[0] as MethodDescriptor, {})).rejects.toMatchObject({
      code: Code.Unimplemented,
    });
  });
});

test("what JSON-RPC cannot do is refused by name", async () => {
  const plugin = definePlugin({ name: "a", version: "1", services: [] });
  const two = listen([plugin, { ...plugin, name: "b" }], { listen: "json-rpc+tcp://127.0.0.1:0" });
  await expect(two).rejects.toThrow("JSON-RPC is spoken with one plugin at an address, and there are 2");
  await expect(listen(plugin, { listen: "json-rpc+tcp://0.0.0.0:0" })).rejects.toMatchObject({
    code: Code.FailedPrecondition,
  });
  await using server = await listen(plugin, { listen: "json-rpc+tcp://127.0.0.1:0" });
  await expect(loadPlugin(server.address, { config: { a: 1 } })).rejects.toThrow("JSON-RPC has no way to tell it");
  await expect(loadPlugin("examples/json-rpc/plain-node", { transport: "process" })).rejects.toThrow(
    'interop.protocol is "json-rpc", which is spoken over transport "stdio", not over "process"',
  );
});
