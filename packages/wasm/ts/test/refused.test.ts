/** Modules that are refused before anything of them runs. */

import { readFileSync } from "node:fs";
import { Code, codeName } from "@anyplug/core";
import { Hello } from "@anyplug/protocol/anyplug/wire/v1/hello.js";
import { expect, test } from "@jest/globals";
import { loadWasm } from "../src/load.js";
import { assemble, guest, sectionOf, withSections } from "./guest.js";

/** Runs when an instance is made: a module that is refused must not get that far. */
const trap = "(func $start unreachable) (start $start)";

async function refusal(
  source: Uint8Array | Promise<Uint8Array>,
  options = {},
): Promise<{ code: Code; message: string }> {
  const given = await source;
  const error = await loadWasm(given, options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error as { code: Code; message: string };
}

const refusedFor = (message: RegExp) => ({ code: Code.FailedPrecondition, message: expect.stringMatching(message) });

interface Case {
  readonly name: string;
  readonly wat?: string;
  readonly hex?: string;
  readonly sections?: readonly string[];
  readonly long?: number;
  readonly limits?: object;
  readonly code: string;
  readonly message?: string;
  readonly begins?: string;
}

const cases: readonly Case[] = JSON.parse(
  readFileSync(new URL("../../../../test/modules/refused.json", import.meta.url), "utf8"),
);
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));

test.each(cases)("in the words of all hosts: $name", async ({ wat, hex = "", long, limits, ...expected }) => {
  const good = sectionOf(Hello.fromPartial({ protocol: 1, minProtocol: 1, name: "guest", version: "1.0.0" }));
  const named = expected.sections?.map(bytesOf);
  const sections = long === undefined ? (named ?? [good]) : [new Uint8Array(long)];
  const module = wat === undefined ? bytesOf(hex) : await assemble(wat);
  const { code, message } = await refusal(withSections(module, sections), { wasm: limits });
  expect(codeName(code)).toBe(expected.code);
  if (expected.message !== undefined) expect(message).toBe(`the module ${expected.message}`);
  else expect(message).toMatch(new RegExp(`^the module ${expected.begins}`));
});

test("bytes that end too soon", async () => {
  const noModule = (message: RegExp) => ({ code: Code.InvalidArgument, message: expect.stringMatching(message) });
  const whole = await guest();
  expect(await refusal(whole.subarray(0, whole.length - 5))).toMatchObject(noModule(/is no WebAssembly module/));
  expect(await refusal(Uint8Array.of(...whole.subarray(0, 8), 1, 0xff, 0xff, 0xff, 0xff, 0x0f))).toMatchObject(
    noModule(/it ends in the middle of a section/),
  );
});

test("a module whose code is not valid", async () => {
  const module = await guest({ extra: "(func $never (result i32) (i32.const 305419896))" });
  const at = Buffer.from(module).indexOf(Uint8Array.of(0x41, 0xf8, 0xac, 0xd1, 0x91, 0x01));
  module[at] = 0x42;
  expect(await refusal(module)).toMatchObject({
    code: Code.InvalidArgument,
    message: expect.stringMatching(/is no valid WebAssembly module/),
  });
});

test("names of what every object has are no imports of this host", async () => {
  const extra = `(import "anyplug" "toString" (func)) (import "anyplug" "__proto__" (func))`;
  expect(await refusal(guest({ extra }))).toMatchObject(refusedFor(/anyplug.toString \(\), anyplug.__proto__ \(\)/));
});

test("a memory that is shared or of 64 bits", async () => {
  const shared = `(memory (export "memory") 4 8 shared)`;
  expect(await refusal(guest({ memory: shared, extra: trap }))).toMatchObject(refusedFor(/its memory is shared/));
  const wide = await assemble(`(module (memory (export "memory") i64 1))`);
  expect(await refusal(withSections(wide, [sectionOf()]))).toMatchObject(refusedFor(/its memory is of 64 bits/));
});

test("a module that is too large, or begins with too much memory", async () => {
  const module = await guest({ extra: trap });
  expect(await refusal(module, { wasm: { maxWasmBytes: 100 } })).toMatchObject({
    code: Code.ResourceExhausted,
    message: expect.stringMatching(/and a module may have 100; raise wasm.maxWasmBytes/),
  });
  const huge = guest({ memory: `(memory (export "memory") 65536)`, extra: trap });
  expect(await refusal(huge)).toMatchObject({
    code: Code.ResourceExhausted,
    message: expect.stringMatching(/begins with 4294967296 bytes of memory.*raise wasm.maxMemoryBytes/),
  });
});

test("an option that is no positive number", async () => {
  expect(await refusal(guest(), { wasm: { callTimeoutMs: -1 } })).toMatchObject({
    code: Code.InvalidArgument,
    message: "wasm.callTimeoutMs: expected a number over 0, got -1",
  });
});

test("a module that was compiled already, and lacks what a plugin has", async () => {
  const plain = await WebAssembly.compile((await assemble("(module)")) as Uint8Array<ArrayBuffer>);
  await expect(loadWasm(plain)).rejects.toMatchObject(refusedFor(/is no plugin/));
  const empty = withSections(await assemble("(module)"), [sectionOf()]);
  await expect(loadWasm(await WebAssembly.compile(empty as Uint8Array<ArrayBuffer>))).rejects.toMatchObject(
    refusedFor(/it exports no anyplug_abi .* it exports no memory/),
  );
});

test("a response that is no success, and a source that is none", async () => {
  await expect(loadWasm(new Response("", { status: 404 }))).rejects.toMatchObject({ code: Code.NotFound });
  await expect(loadWasm(new Response("", { status: 503 }))).rejects.toMatchObject({ code: Code.Unavailable });
  await expect(loadWasm("x.wasm" as unknown as Uint8Array)).rejects.toMatchObject({ code: Code.InvalidArgument });
  const large = new Response(new Uint8Array(1000));
  await expect(loadWasm(large, { wasm: { maxWasmBytes: 999 } })).rejects.toMatchObject({
    code: Code.ResourceExhausted,
  });
});

test("a module comes by fetch", async () => {
  const plugin = await loadWasm(new Response((await guest()) as Uint8Array<ArrayBuffer>));
  expect(plugin.name).toBe("guest");
  await plugin.close();
});
