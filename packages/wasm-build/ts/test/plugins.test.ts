/** Our own plugins, unchanged, as modules. */

import { join } from "node:path";
import { AnyplugError, Code, implement, Router } from "@anyplug/core";
import { EchoRequest, EchoResponse, HarmRequest_Kind as Kind } from "@anyplug/generated/anyplug/test/v1/test.js";
import { Host, Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { Eliza } from "@anyplug/generated/eliza_classic/v1/eliza_anyplug.js";
import { afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { buildPlugin } from "../src/index.js";
import { closeAll, ModuleHost } from "./module-host.js";

const plugins = join(import.meta.dirname, "../../../../plugins");

afterEach(closeAll);

describe("the test plugin", () => {
  let module: WebAssembly.Module;

  beforeAll(async () => {
    const { wasm, name, version } = await buildPlugin({ entry: join(plugins, "test-plugin/ts/src/plugin.ts") });
    expect({ name, version }).toEqual({ name: "test-plugin", version: "0.1.0" });
    module = await WebAssembly.compile(wasm);
  });

  test("answers calls of each kind, with text and bytes of any size", async () => {
    const { connection } = new ModuleHost(module);
    const client = connection.client(Test);
    const data = Uint8Array.from({ length: 200_000 }, (_, index) => index % 251);
    const answer = await client.echo({ text: "grüße 😀 \u0000", data });
    expect(answer).toMatchObject({ text: "grüße 😀 \u0000", data });
    let bytes = 0;
    for await (const one of client.count({ count: 300, size: 1000 })) bytes += one.data.length;
    expect(bytes).toBe(300_000);
    const numbers = Array.from({ length: 100 }, (_, index) => ({ number: BigInt(index) }));
    expect(await client.sum(numbers)).toMatchObject({ sum: 4950n, count: 100 });
    const said: string[] = [];
    for await (const { text } of client.converse([{ text: "a" }, { text: "b" }])) said.push(text);
    expect(said).toEqual(["a", "b"]);
    expect(connection.peer).toMatchObject({ name: "test-plugin", runtime: expect.stringContaining("quickjs") });
  });

  test("calls its host while it handles a call", async () => {
    const ask = ({ question }: { question: string }) => ({ answer: `${question}!` });
    const router = new Router({ services: [implement(Host, { ask })] });
    const client = new ModuleHost(module, { router }).connection.client(Test);
    expect((await client.askHost({ question: "why" })).answer).toBe("why!");
  });

  test("waits by timers, and sees that a call was cancelled or is over its time", async () => {
    const client = new ModuleHost(module).connection.client(Test);
    await client.wait({ ms: 5 });
    const cancelling = new AbortController();
    const cancelled = client.wait({ ms: 1_000_000 }, { signal: cancelling.signal });
    cancelling.abort();
    await expect(cancelled).rejects.toMatchObject({ code: Code.Cancelled });
    await expect(client.wait({ ms: 1_000_000 }, { timeoutMs: 20 })).rejects.toMatchObject({
      code: Code.DeadlineExceeded,
    });
    // The last may have been over before it came to the plugin.
    const report = await client.waitReport({ atLeast: 2 });
    expect(report).toMatchObject({ completed: 1, cancelled: report.started - 1 });
  });

  test("fails with the code and the words that its handler threw, and logs what it did not expect", async () => {
    const host = new ModuleHost(module);
    const client = host.connection.client(Test);
    const failed = client.fail({ code: Code.NotFound, message: "not there", detail: "more" });
    await expect(failed).rejects.toMatchObject({ code: Code.NotFound, message: "not there", details: [{}] });
    await expect(client.fail({ message: "broken", crash: true })).rejects.toMatchObject({ message: "broken" });
    expect((await host.logged(/Fail failed: Error: broken/)).level).toBe("error");
    await client.harm({ kind: Kind.KIND_LOG, text: "a line" });
    expect((await host.logged(/^a line$/)).level).toBe("info");
  });

  test("refuses a configuration in its own words", async () => {
    const { connection } = new ModuleHost(module, { config: JSON.stringify({ refuse: "not today" }) });
    await expect(connection.closed).resolves.toMatchObject({ code: Code.InvalidArgument, message: "not today" });
  });

  test("answers a call that is made the short way when it can, and otherwise by frames", async () => {
    const host = new ModuleHost(module);
    await host.connection.opened;
    const services = host.connection.peer?.services ?? [];
    const index = (name: string) => services.flatMap(({ methods }) => methods).indexOf(name);
    const payload = (text: string) => EchoRequest.encode(EchoRequest.fromPartial({ text })).finish();
    for (const text of ["short", "long ".repeat(100_000)]) {
      const { outcome, result } = host.call(1, index("Echo"), payload(text));
      expect(outcome).toBe(0);
      expect(EchoResponse.decode(result).text).toBe(text);
    }
    expect(host.call(0xffff_ffff, index("Echo"), payload("x")).outcome).toBe(0);
    expect(host.call(1, index("Fail"), payload("")).outcome).toBe(1);
    expect(host.call(101, index("Wait"), Uint8Array.of(8, 5)).outcome).toBe(2);
    // The connection knows of none of these calls, and drops the frame; the plugin goes on.
    const client = host.connection.client(Test);
    expect(await client.waitReport({ atLeast: 1 })).toMatchObject({ completed: 1 });
  });

  test("imports what the ABI has and exports what it asks for, and nothing else; says who it is before it runs", () => {
    expect(WebAssembly.Module.imports(module).every(({ module }) => module === "anyplug")).toBe(true);
    const exported = WebAssembly.Module.exports(module).map(({ name }) => name);
    expect(exported.sort()).toEqual([
      "anyplug_abi",
      "anyplug_alloc",
      "anyplug_call",
      "anyplug_free",
      "anyplug_recv",
      "memory",
    ]);
    expect(WebAssembly.Module.customSections(module, "anyplug")).toHaveLength(1);
  });
});

describe("eliza-classic", () => {
  test("holds conversations with the script that came with it, or with one of the configuration", async () => {
    const { wasm } = await buildPlugin({ entry: join(plugins, "eliza-classic/ts/src/plugin.ts") });
    const module = await WebAssembly.compile(wasm);
    const client = new ModuleHost(module).connection.client(Eliza);
    expect((await client.reply({ text: "Men are all alike." })).text).toBe("IN WHAT WAY");
    const words: string[] = [];
    for await (const { text } of client.replyStream({ text: "I am sad" })) words.push(text);
    expect(words.join(" ")).toBe("I AM SORRY TO HEAR YOU ARE SAD");
    const { connection } = new ModuleHost(module, { config: JSON.stringify({ script_path: "/nowhere" }) });
    const refused = await connection.closed;
    expect(refused).toBeInstanceOf(AnyplugError);
    expect(refused.message).toBe("config.script_path: /nowhere cannot be read: No such file or directory");
  });
});
