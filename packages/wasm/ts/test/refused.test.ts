/** Modules that are refused before anything of them runs. */

import { Code } from "@anyplug/core";
import { expect, test } from "@jest/globals";
import { loadWasm } from "../src/load.js";
import { assemble, guest, helloOf, sectionOf, withSections } from "./guest.js";

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

test("bytes that are no module", async () => {
  const noModule = (message: RegExp) => ({ code: Code.InvalidArgument, message: expect.stringMatching(message) });
  expect(await refusal(new Uint8Array(0))).toMatchObject(noModule(/is no WebAssembly module/));
  expect(await refusal(new TextEncoder().encode("#!/bin/sh\n"))).toMatchObject(noModule(/does not begin as/));
  expect(await refusal(Uint8Array.of(0, 97, 115, 109, 13, 0, 1, 0))).toMatchObject(noModule(/it is a component/));
  const whole = await guest();
  expect(await refusal(whole.subarray(0, whole.length - 5))).toMatchObject(noModule(/is no WebAssembly module/));
  expect(await refusal(Uint8Array.of(...whole.subarray(0, 8), 1, 0xff, 0xff, 0xff, 0xff, 0x0f))).toMatchObject(
    noModule(/4294967295 bytes are announced at offset 14/),
  );
});

test("a module whose code is not valid", async () => {
  const module = await guest({ extra: "(func $never (result i32) (i32.const 305419896))" });
  const at = Buffer.from(module).indexOf(Uint8Array.of(0x41, 0xf8, 0xac, 0xd1, 0x91, 0x01));
  module[at] = 0x42;
  expect(await refusal(module)).toMatchObject({
    code: Code.InvalidArgument,
    message: expect.stringMatching(/is no WebAssembly module/),
  });
});

test("a module without a section, with two, and with sections that say nothing of use", async () => {
  const load = (...sections: Uint8Array[]) => refusal(guest({ sections, extra: trap }));
  expect(await load()).toMatchObject(refusedFor(/it has no custom section "anyplug"/));
  expect(await load(sectionOf(), sectionOf())).toMatchObject(refusedFor(/it has 2 custom sections "anyplug"/));
  expect(await load(Uint8Array.of(1, 0))).toMatchObject(refusedFor(/its section "anyplug" has 2 bytes/));
  expect(await load(sectionOf(helloOf(), 2))).toMatchObject(refusedFor(/speaks version 2 .* update this host/));
  expect(await load(sectionOf(helloOf(), 0))).toMatchObject(refusedFor(/speaks version 0 .* build the plugin again/));
  expect(await load(Uint8Array.of(1, 0, 0, 0, 0xff, 0xff))).toMatchObject(refusedFor(/holds no hello/));
  expect(await load(Uint8Array.of(1, 0, 0, 0))).toMatchObject(refusedFor(/has no name or no version/));
});

test("a module that lacks exports and wants imports is told all of it at once", async () => {
  const exports = `(func (export "anyplug_abi") (result i64) (i64.const 0))
    (table (export "anyplug_alloc") 1 funcref)
    (func (export "anyplug_free") (param i32 i32))
    (func (export "anyplug_call") (param i32 i32 i32) (result i32) (i32.const 0))`;
  const extra = `(import "wasi_snapshot_preview1" "sock_accept" (func (param i32 i32 i32) (result i32)))
    (import "anyplug" "open" (func (param i32)))
    (import "anyplug" "clock" (func (param i32) (result i64)))
    (import "anyplug" "random" (global i32))
    (import "env" "table" (table 1 funcref))
    ${trap}`;
  const { code, message } = await refusal(guest({ exports, extra, memory: "(memory 4)" }));
  expect(code).toBe(Code.FailedPrecondition);
  expect(message).toBe(
    [
      "the module cannot be loaded: its export anyplug_abi is () -> i64, expected () -> i32",
      "its export anyplug_alloc is a table, expected (i32) -> i32",
      "it exports no anyplug_recv (i32, i32)",
      "its export anyplug_call is (i32, i32, i32) -> i32, expected (i32, i32, i32, i32) -> i32",
      "it exports no memory",
      "this host does not have what it imports: wasi_snapshot_preview1.sock_accept (i32, i32, i32) -> i32, anyplug.open (i32), anyplug.clock (i32) -> i64, anyplug.random (a global), env.table (a table)",
    ].join("; "),
  );
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
    message: expect.stringMatching(/over the limit of 100; raise wasm.maxWasmBytes/),
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
  await expect(loadWasm(plain)).rejects.toMatchObject(refusedFor(/it has no custom section/));
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
