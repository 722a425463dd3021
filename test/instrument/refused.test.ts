/** What is refused when it is loaded, by name, and what is capped. */

import { AnyplugError, Code } from "@anyplug/core";
import { expect, test } from "@jest/globals";
import { assemble, type Bytes, Host, instrumented } from "./guests.js";

async function refusal(module: string | Bytes, limits = {}): Promise<[Code, string]> {
  const error = await instrumented(module, limits).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof AnyplugError)) throw new Error(`not refused: ${error}`);
  return [error.code, error.message];
}

/** They name what the instrumenter appends, at the index that it gets. */
const invalid: Record<string, string> = {
  "writes the counter": `(func (export "f") (global.set 0 (i64.const 1)))`,
  "reads the counter": `(func (export "f") (drop (global.get 0)))`,
  "exports the counter": `(global i32 (i32.const 1)) (export "g" (global 1))`,
  "writes into the table": `(func (export "f") (table.set 0 (i32.const 0) (ref.null func)))`,
  "calls through the table": `(type (func)) (func (export "f") (call_indirect (type 0) (i32.const 0)))`,
  "fills the table": `(func $f) (elem (table 0) (i32.const 0) func $f)`,
  "calls a function that is appended": `(func (export "f") (call 2))`,
  "has a type that is appended": `(import "host" "g" (func (type 1)))`,
  "writes the local that is appended": `(func (export "f") (loop (local.set 0 (i64.const 1)) (br 0)))`,
  "leaves more than a function may": `(func (export "f") (br 1))`,
};

test.each(Object.entries(invalid))("a module that %s is invalid, and refused", async (_, text) => {
  const bytes = assemble(text);
  expect(WebAssembly.validate(bytes)).toBe(false);
  expect((await refusal(bytes))[0]).toBe(Code.InvalidArgument);
});

test.each([
  ["no bytes", []],
  ["another version", [0, 97, 115, 109, 2, 0, 0, 0]],
  ["half a section", [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 0x60]],
])("%s are no module", async (_, bytes) => {
  expect((await refusal(new Uint8Array(bytes)))[0]).toBe(Code.InvalidArgument);
});

const unsupported: [string, Record<string, boolean>, string, RegExp][] = [
  ["exceptions", { exceptions: true }, `(tag) (func (export "f") (throw 0))`, /exceptions/],
  ["threads", { threads: true }, "(memory 1 1 shared)", /threads|shared/],
  ["64-bit memory", { memory64: true }, "(memory i64 1)", /64/],
  ["an imported memory", {}, `(import "host" "memory" (memory 1))`, /imports its memory/],
  ["an export of a name that the host needs", {}, `(func (export "anyplug:set"))`, /"anyplug:set"/],
  [
    "more locals than there is room for",
    {},
    `(func (export "f") (local ${"i32 ".repeat(49_999)}) (loop (br 0)))`,
    /49999 locals/,
  ],
];

test.each(unsupported)("%s: refused by name", async (_, features, text, words) => {
  const [code, message] = await refusal(assemble(text, features));
  expect([code, message]).toEqual([Code.FailedPrecondition, expect.stringMatching(words)]);
});

test("relaxed SIMD is refused by name", async () => {
  // (func (result v128) (i8x16.relaxed_swizzle (v128.const …) (v128.const …)))
  const constant = [0xfd, 0x0c, ...new Array<number>(16).fill(1)];
  const body = [0, ...constant, ...constant, 0xfd, 0x80, 0x02, 0x0b];
  const sections = [1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10, body.length + 2, 1, body.length, ...body];
  const [code, message] = await refusal(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, ...sections]));
  expect([code, message]).toEqual([Code.FailedPrecondition, expect.stringMatching(/relaxed SIMD/)]);
});

test("references with a type are refused by name", async () => {
  // (type (func)) (type (func (param (ref 0))))
  const types = [0x01, 0x09, 2, 0x60, 0, 0, 0x60, 1, 0x64, 0, 0];
  const [code, message] = await refusal(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, ...types]));
  expect([code, message]).toEqual([Code.FailedPrecondition, expect.stringMatching(/types|references/)]);
});

test("a component is refused by name", async () => {
  const component = new Uint8Array([0, 97, 115, 109, 0x0d, 0, 1, 0]);
  expect((await refusal(component))[1]).toMatch(/component/);
});

test("more memory than the cap is refused, with both numbers", async () => {
  const [code, message] = await refusal("(memory 3)", { maxMemoryBytes: 131_072 });
  expect(code).toBe(Code.ResourceExhausted);
  expect(message).toMatch(/196608.*maxMemoryBytes is 131072/);
});

test("more tables, or larger ones, than the cap are refused", async () => {
  expect((await refusal("(table 1 funcref) (table 1 funcref)", { maxTables: 1 }))[0]).toBe(Code.ResourceExhausted);
  expect((await refusal("(table 11 externref)", { maxTableElements: 10 }))[0]).toBe(Code.ResourceExhausted);
});

test("memory grows up to the cap, or its own maximum if that is lower", async () => {
  const grow = `(func (export "f") (param i32) (result i32) (memory.grow (local.get 0)))`;
  const limits = { maxMemoryBytes: 4 * 65_536 + 1 };
  for (const [memory, most] of [
    ["1", 4],
    ["1 2", 2],
    ["1 100", 4],
  ] as const) {
    const host = await Host.of(`(memory ${memory}) ${grow}`, { limits });
    expect(host.call("f", most)).toBe(-1);
    expect(host.call("f", most - 1)).toBe(1);
    expect(host.call("f", 1)).toBe(-1);
  }
});

test("a table grows up to the cap", async () => {
  const text = `(table 1 externref) (func (export "f") (param i32) (result i32)
    (table.grow 0 (ref.null extern) (local.get 0)))`;
  const host = await Host.of(text, { limits: { maxTableElements: 10 } });
  expect([host.call("f", 10), host.call("f", 9), host.call("f", 1)]).toEqual([-1, 1, -1]);
});

test("limits that are no numbers of bytes are the engine's", async () => {
  const host = await Host.of("(memory 1)", {
    limits: { maxMemoryBytes: Number.POSITIVE_INFINITY, maxTables: Number.POSITIVE_INFINITY, maxTableElements: 1e12 },
  });
  expect(host.instance).toBeDefined();
});
