/** Plugins that are shared libraries with ElizaOS's C ABI: the cases that all languages share, and what is given back. */

import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  AgentRuntime,
  type Json,
  type JsonObject,
  type Memory,
  Registration,
  type State,
} from "@anyplug/contracts/agent";
import { AnyplugError, codeName } from "@anyplug/core";
import { type LibraryPlugin, loadLibraryPlugin } from "@anyplug/elizaos";
import { loadPlugin } from "@anyplug/host";
import { afterAll, expect, test } from "@jest/globals";

interface Case {
  readonly library: string;
  readonly do: string;
  readonly name: string;
  readonly text?: string;
  readonly config?: JsonObject;
  readonly code?: string;
  readonly says?: readonly string[];
  readonly expect?: Json;
  readonly echoes?: readonly string[];
}

interface Cases {
  readonly refused: readonly Case[];
  readonly asked: { readonly memory: Memory; readonly state: State; readonly options: JsonObject };
  readonly calls: readonly Case[];
  readonly lacking: readonly Case[];
}

const folder = fileURLToPath(new URL("..", import.meta.url));
const cases: Cases = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"));
const { asked } = cases;
const place = mkdtempSync(join(tmpdir(), "anyplug-test-"));

afterAll(() => rmSync(place, { recursive: true }));

function library(name: string): string {
  return join(folder, "bin", `${name}.so`);
}

/** Loads a library; what is returned are the plugin and typed calls of it. */
async function load(path: string): Promise<{ plugin: LibraryPlugin; calls: Registration } & AsyncDisposable> {
  const plugin = await loadLibraryPlugin(path);
  const calls = await Registration.of(plugin.for(new AgentRuntime()));
  return { plugin, calls, [Symbol.asyncDispose]: () => plugin.close() };
}

async function run(calls: Registration, one: Pick<Case, "do" | "name" | "text" | "config">): Promise<unknown> {
  const memory: Memory = one.text === undefined ? asked.memory : { content: { text: one.text } };
  const { state, options } = asked;
  const args = { message: memory, state, options };
  switch (one.do) {
    case "init":
      return calls.init({ id: "a1", name: "agent" }, one.config ?? {});
    case "validateAction":
      return calls.validateAction(one.name, memory, state);
    case "invokeAction":
      return calls.invokeAction(one.name, args);
    case "getProvider":
      return calls.getProvider(one.name, memory, state);
    case "validateEvaluator":
      return calls.validateEvaluator(one.name, memory, state);
    default:
      return calls.invokeEvaluator(one.name, args);
  }
}

async function check(calls: Registration, one: Case): Promise<void> {
  const running = run(calls, one);
  if (one.code !== undefined) return expectFailure(running, one);
  const answer = await running;
  const { expect: expected } = one;
  if (typeof expected === "object" && expected !== null) expect(answer).toMatchObject(expected);
  else expect(answer).toBe(expected);
  for (const name of one.echoes ?? []) {
    expect((answer as { data: JsonObject }).data[name]).toEqual(asked[name as keyof typeof asked]);
  }
}

async function expectFailure(promise: Promise<unknown>, { code, says = [] }: Pick<Case, "code" | "says">) {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => AnyplugError.from(reason),
  );
  expect(error && codeName(error.code)).toBe(code);
  for (const words of says) expect(error?.message).toContain(words);
}

async function echo(calls: Registration, text: string): Promise<unknown> {
  const { data } = await calls.invokeAction("ECHO", { message: { content: { text } }, state: asked.state });
  return (data as unknown as { memory: Memory }).memory.content.text;
}

test.each(cases.refused.map((one) => [one.library, one] as const))("%s is no plugin, and says why", (name, one) =>
  expectFailure(loadLibraryPlugin(library(name)), one),
);

test("it does for an agent whatever its library does", async () => {
  await using ledger = await load(folder);
  expect(ledger.plugin.definition).toMatchObject({
    name: "ledger",
    description: "Keeps count",
    services: [],
    routes: [],
  });
  for (const one of cases.calls) await check(ledger.calls, one);
});

test.each(cases.lacking.map((one) => [`${one.library}: ${one.do}`, one] as const))("%s", async (_, one) => {
  await using ledger = await load(library(one.library));
  await check(ledger.calls, one);
});

test("many and large calls are made one at a time in other threads, and all that was returned is given back", async () => {
  await using ledger = await load(library("ledger"));
  for (const length of [0, 65_536, 1 << 20]) {
    const text = "ü".repeat(length / 2);
    expect((await echo(ledger.calls, text)) === text).toBe(true);
  }
  const texts = Array.from({ length: 200 }, (_, index) => `text ${index}`);
  expect(await Promise.all(texts.map((text) => echo(ledger.calls, text)))).toEqual(texts);
  await run(ledger.calls, { do: "invokeAction", name: "BYTES" }).catch(() => {});
  await run(ledger.calls, { do: "getProvider", name: "TEXT" }).catch(() => {});
  const { values } = await ledger.calls.getProvider("COUNTS", asked.memory, asked.state);
  expect(values).toEqual({ kept: 0, foreign: 0, together: 0, hindering: 0 });
});

test("an agent registers it with a configuration, of which it may refuse one", async () => {
  await using plugin = await loadLibraryPlugin(library("ledger"));
  const agent = new AgentRuntime();
  await expectFailure(agent.registerPlugin(plugin.for(agent), { config: { refuse: true } }), {
    code: "FAILED_PRECONDITION",
    says: ["it refused its configuration: elizaos_init returned -7"],
  });
  await agent.registerPlugin(plugin.for(agent), { config: { key: "Schlüssel" } });
  const state = await agent.composeState({ content: {} });
  expect(state).toMatchObject({ text: "counted", values: { kept: 0 } });
});

test("closing it lets calls end, and refuses those that come later", async () => {
  const { plugin, calls } = await load(library("ledger"));
  const texts = Array.from({ length: 50 }, (_, index) => `text ${index}`);
  const [first, ...rest] = texts.map((text) => echo(calls, text));
  // The first is within the library, or has been.
  await first;
  const [told] = await Promise.all([Promise.all(rest), plugin.close()]);
  expect(told).toEqual(texts.slice(1));
  await expectFailure(calls.validateAction("ECHO", asked.memory, asked.state), {
    code: "UNAVAILABLE",
    says: ['plugin "ledger" was closed'],
  });
  await plugin.close();
  await using again = await load(library("ledger"));
  expect(await echo(again.calls, "once more")).toBe("once more");
});

test("each load has a library of its own, and the file may be replaced", async () => {
  const file = join(place, "plugin.so");
  copyFileSync(library("ledger"), file);
  await using first = await load(file);
  copyFileSync(library("no_init"), file);
  await using second = await load(file);
  const config = { do: "init", name: "", config: { a: 1 } };
  await expectFailure(run(second.calls, config), { code: "UNIMPLEMENTED" });
  await run(first.calls, config);
  expect(await echo(first.calls, "the old one")).toBe("the old one");
});

test.each([
  [{ protocol: "ffi" }, "FAILED_PRECONDITION", "interop.sharedLibPath"],
  [{ sharedLibPath: "../x.so" }, "INVALID_ARGUMENT", "leaves the plugin's folder"],
  [{ sharedLibPath: "none.so" }, "NOT_FOUND", "none.so"],
])("a manifest with interop %j is refused", async (interop, code, says) => {
  const manifest = { name: "x", description: "", version: "1.0.0", language: "rust", interop };
  writeFileSync(join(place, "plugin.json"), JSON.stringify(manifest));
  await expectFailure(loadLibraryPlugin(place), { code, says: [says] });
});

test("a host says who can load it", async () => {
  await expectFailure(loadPlugin(library("ledger")), {
    code: "FAILED_PRECONDITION",
    says: ["does not export anyplug_plugin; it is one of ElizaOS, by its C ABI: load it by loadLibraryPlugin"],
  });
});

test("it is served to any host by a process of its own", async () => {
  const served = mkdtempSync(join(place, "served-"));
  const program = fileURLToPath(new URL("../../../../packages/elizaos/ts/dist/program.js", import.meta.url));
  const interop = { ipcCommand: `node ${program} ./ledger.so` };
  const manifest = { name: "ledger", description: "", version: "1.0.0", language: "typescript", interop };
  writeFileSync(join(served, "plugin.json"), JSON.stringify(manifest));
  copyFileSync(library("ledger"), join(served, "ledger.so"));
  await using plugin = await loadPlugin(served);
  expect([plugin.name, plugin.transport]).toEqual(["ledger", "process"]);
  const calls = await Registration.of(plugin);
  for (const one of cases.calls) await check(calls, one);
});
