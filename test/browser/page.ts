/** What a page does with plugins: it is bundled for a browser, and its functions are called from outside. */

import { AnyplugError, type Code, implement } from "@anyplug/core";
import { HarmRequest_Kind } from "@anyplug/generated/anyplug/test/v1/test.js";
import { Host, Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { Eliza } from "@anyplug/generated/eliza_classic/v1/eliza_anyplug.js";
import { loadExtism, loadWasm, type WasmPlugin } from "@anyplug/wasm";

/** What happened on the page. */
export interface Happened {
  readonly name: string;
  readonly reply: string;
  readonly syncReply: string;
  readonly words: readonly string[];
  readonly indexes: readonly number[];
  readonly sum: number;
  readonly conversed: readonly string[];
  readonly hostAnswer: string;
  readonly cancelled: Code | undefined;
  readonly hung: { readonly code: Code; readonly message: string } | undefined;
  readonly afterwards: string;
  readonly enforced: readonly string[];
  readonly extism: { readonly page: string; readonly size: number; readonly refused: string };
}

async function run(): Promise<Happened> {
  await using eliza = await loadWasm(fetch("eliza.wasm"));
  const client = eliza.client(Eliza);
  const { text: reply } = await client.reply({ text: "Men are all alike." });
  const { text: syncReply } = eliza.syncClient(Eliza).reply({ text: "Men are all alike." });
  const words: string[] = [];
  for await (const { text } of client.replyStream({ text: "I am sad" })) words.push(text);
  await using plugin = await loadWasm(fetch("test.wasm"), {
    services: [implement(Host, { ask: ({ question }) => ({ answer: `${question}? In ${location.protocol}` }) })],
    wasm: { callTimeoutMs: 2000 },
  });
  return {
    name: eliza.name,
    reply,
    syncReply,
    words,
    ...(await everyKind(plugin)),
    enforced: plugin.enforced,
    extism: await extism(),
  };
}

async function everyKind(plugin: WasmPlugin) {
  const test = plugin.client(Test);
  const indexes: number[] = [];
  for await (const { index } of test.count({ count: 5, size: 70_000, delayMs: 1 })) indexes.push(index);
  const { sum } = await test.sum([{ number: 1n }, { number: 2n }, { number: 39n }]);
  const conversed: string[] = [];
  for await (const { text } of test.converse([{ text: "a" }, { text: "b" }])) conversed.push(text);
  const { answer: hostAnswer } = await test.askHost({ question: "Where" });
  const giveUp = new AbortController();
  const waiting = failureOf(test.wait({ ms: 600_000 }, { signal: giveUp.signal }));
  giveUp.abort();
  const cancelled = (await waiting)?.code;
  const hung = await failureOf(test.harm({ kind: HarmRequest_Kind.KIND_HANG }));
  const { text: afterwards } = await test.echo({ text: "still here" });
  return {
    indexes,
    sum: Number(sum),
    conversed,
    hostAnswer,
    cancelled,
    hung: hung && { code: hung.code, message: hung.message },
    afterwards,
  };
}

/** An Extism plugin, which asks for this page, and for its own bytes. */
async function extism(): Promise<Happened["extism"]> {
  await using plugin = await loadExtism(fetch("http.wasm"), { allowedHosts: [location.hostname] });
  const ask = (url: string) => plugin.call("request", JSON.stringify({ url: new URL(url, location.href).href }));
  const page = new TextDecoder().decode(await ask("/"));
  const refused = await failureOf(ask("http://elsewhere.invalid/"));
  return { page, size: (await ask("http.wasm")).length, refused: refused?.message ?? "" };
}

async function failureOf(call: Promise<unknown>): Promise<AnyplugError | undefined> {
  return call.then(
    () => undefined,
    (error: unknown) => AnyplugError.from(error),
  );
}

Object.assign(globalThis, { run });
