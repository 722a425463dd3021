/** An instrumented module does what the original does. */

import { readdirSync, readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";
import { AnyplugError, Code } from "@anyplug/core";
import { instrument } from "@anyplug/wasm/instrument";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { assemble, type Bytes, expectStopped, Host, instrumented } from "./guests.js";

const root = new URL("../../", import.meta.url);
const limits = { maxMemoryBytes: 256 << 20, maxTables: 16, maxTableElements: 100_000 };

/** The modules that the build makes of plugins, and of the instrumenter. */
function modules(): [string, Bytes][] {
  const plugins = ["eliza-classic", "test-plugin", "bench-plugin"].flatMap((name) => {
    const folder = new URL(`plugins/${name}/rust/bin/`, root);
    const files = readdirSync(folder).filter((file) => file.endsWith(".wasm"));
    return files.map((file): [string, Bytes] => [file, Uint8Array.from(readFileSync(new URL(file, folder)))]);
  });
  return [...plugins, ["instrumenter", instrumenter()]];
}

function instrumenter(): Bytes {
  const source = readFileSync(new URL("packages/wasm/ts/instrumenter/instrumenter.js", root), "utf8");
  return Uint8Array.from(inflateSync(Buffer.from(/"(.*)"/.exec(source)?.[1] ?? "", "base64")));
}

interface Instrumenter {
  readonly memory: WebAssembly.Memory;
  input(length: number): number;
  run(bytes: number, tables: number, elements: number): number;
  output(): number;
  output_length(): number;
}

test("the instrumenter, instrumented, makes of every module what it makes as it is", async () => {
  const host = await Host.of(instrumenter(), { slice: 10_000, slices: 1e9, limits });
  const { memory, input, run, output, output_length } = host.instance.exports as unknown as Instrumenter;
  const all = modules();
  expect(all.length).toBeGreaterThanOrEqual(4);
  for (const [name, bytes] of all) {
    const at = input(bytes.length);
    new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
    expect([name, run(limits.maxMemoryBytes, limits.maxTables, limits.maxTableElements)]).toEqual([name, 0]);
    const made = new Uint8Array(memory.buffer, output(), output_length());
    expect(Buffer.compare(made, await instrument(bytes, limits))).toBe(0);
  }
});

test("a module that is instrumented keeps its sections `name` and `anyplug`, its imports and its exports", async () => {
  for (const [, bytes] of modules()) {
    const before = await WebAssembly.compile(bytes);
    const after = await WebAssembly.compile(await instrumented(bytes, limits));
    for (const section of ["anyplug", "name"]) {
      expect(sections(after, section)).toEqual(sections(before, section));
    }
    expect(WebAssembly.Module.imports(after)).toEqual(WebAssembly.Module.imports(before));
    expect(WebAssembly.Module.exports(after)).toEqual(expect.arrayContaining(WebAssembly.Module.exports(before)));
  }
});

function sections(module: WebAssembly.Module, name: string): Buffer[] {
  return WebAssembly.Module.customSections(module, name).map((section) => Buffer.from(section));
}

const results: [string, string, unknown][] = [
  [
    "a loop with parameters and results",
    `(func (export "f") (param i32) (result i32 i64) (local i64)
      (i32.const 0) (i64.const 1) (loop $l (param i32 i64) (result i32 i64)
        (i64.const 3) (i64.mul) (local.set 1) (i32.const 1) (i32.add) (local.get 1)
        (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))`,
    [9, 19_683n],
  ],
  [
    "branches out of loops, by all kinds of branch",
    `(func (export "f") (param i32) (result i32) (local i32)
      (block $out (result i32) (loop $a (result i32) (block $b (loop $c
        (local.set 1 (i32.add (local.get 1) (i32.const 1)))
        (drop (br_if $out (local.get 1) (i32.gt_s (local.get 1) (i32.const 100))))
        (br_table $a $b $c $a (i32.rem_u (local.get 1) (i32.const 4))))) (br $a))))`,
    101,
  ],
  [
    "calls within loops within calls",
    `(func $g (param i32) (result i32) (local i32) (loop
        (local.set 1 (i32.add (local.get 1) (i32.const 3)))
        (if (i32.eq (local.get 0) (i32.const 5)) (then (return (local.get 1))))
        (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 1))
      (func (export "f") (param i32) (result i32) (local i32) (loop
        (if (i32.and (local.get 0) (i32.const 1))
          (then (local.set 1 (i32.add (local.get 1) (call $g (local.get 0)))))
          (else (loop (local.set 1 (i32.xor (local.get 1) (i32.const 5))) (br_if 0 (i32.lt_s (local.get 1) (i32.const 3))))))
        (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 1))`,
    undefined,
  ],
];

test.each(results)("%s: the same results, with a checkpoint at every turn", async (_, text, expected) => {
  const bytes = assemble(text);
  const original = new WebAssembly.Instance(await WebAssembly.compile(bytes));
  const result = (original.exports["f"] as (n: number) => unknown)(9);
  if (expected !== undefined) expect(result).toEqual(expected);
  for (const slice of [0, 1, 50]) {
    expect((await Host.of(bytes, { slice, slices: 1e9 })).call("f", 9)).toEqual(result);
  }
});

test("thousands of nested loops and labels are no burden", async () => {
  const depth = 3000;
  const each = (make: (label: number) => readonly number[]) =>
    Array.from({ length: depth }, (_, at) => make(at)).flat();
  // (loop … (br_table 0 1 2 … (i32.const 5)) …)
  const table = [0x41, 5, 0x0e, ...leb(depth - 1), ...each(leb)];
  const body = [0, ...each(() => [0x03, 0x40]), ...table, ...each(() => [0x0b]), 0x0b];
  const code = [1, ...leb(body.length), ...body];
  const sections = [1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 0x66, 0, 0, 10, ...leb(code.length), ...code];
  await expectStopped(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections]));
});

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >> 7)];
}

test("bytes that are changed are refused, or instrumented to what the engine takes if it takes them", async () => {
  const [, smallest] = modules().sort(([, one], [, other]) => one.length - other.length)[0] ?? [];
  const seed = Number(process.env["ANYPLUG_SEED"] ?? 7);
  const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const bytes = Uint8Array.from(smallest ?? []);
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      const isValid = WebAssembly.validate(bytes);
      const outcome = await instrument(bytes, limits).catch((error: unknown) => error);
      if (outcome instanceof Uint8Array) {
        expect(WebAssembly.validate(outcome as Bytes)).toBe(isValid);
        return;
      }
      if (!(outcome instanceof AnyplugError)) throw outcome;
      const codes = [Code.FailedPrecondition, Code.ResourceExhausted, ...(isValid ? [] : [Code.InvalidArgument])];
      expect(codes).toContain(outcome.code);
    }),
    { seed, numRuns: 150 },
  );
});
