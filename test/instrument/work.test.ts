/** Work is charged by its amount: what is slow costs more than one unit. */

import { COUNTER_LEFT, COUNTER_SET } from "@anyplug/wasm/instrument";
import { expect, test } from "@jest/globals";
import { Host } from "./guests.js";

const plenty = { slice: 1_000_000_000, limits: { maxMemoryBytes: 64 << 20, maxTableElements: 100_000 } };

test("a round of a loop is charged for what is in it", async () => {
  const loop = (body: string) => `(func (export "f") (param i32)
    (loop ${body} (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))`;
  const short = await Host.of(loop(""), plenty);
  const long = await Host.of(loop("(drop (i32.const 1))".repeat(1000)), plenty);
  expect(short.charged("f", 1000)).toBeGreaterThanOrEqual(4_000);
  expect(short.charged("f", 1000)).toBeLessThan(20_000);
  expect(long.charged("f", 1000)).toBeGreaterThanOrEqual(2_000_000);
  expect(long.charged("f", 1000)).toBeLessThan(3_000_000);
});

test("of two ways the costlier one is charged, not both", async () => {
  const way = (count: number) => "(drop (i32.const 1))".repeat(count);
  const text = `(func (export "f") (param i32) (loop
    (if (local.get 0) (then ${way(1000)}) (else ${way(900)}))
    (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))`;
  const charged = (await Host.of(text, plenty)).charged("f", 100);
  expect(charged).toBeGreaterThanOrEqual(200_000);
  expect(charged).toBeLessThan(300_000);
});

const bytes = `(memory 320) (data $d "${"x".repeat(60_000)}")`;
const elements = `(table $t 100000 funcref) (elem $e func ${"$g ".repeat(10_000)}) (func $g)`;
const moves: [string, number, string, string][] = [
  ["memory.fill", 16 << 20, bytes, "(memory.fill (i32.const 0) (i32.const 1) (local.get 0))"],
  ["memory.copy", 16 << 20, bytes, "(memory.copy (i32.const 0) (i32.const 8) (local.get 0))"],
  ["memory.init", 60_000, bytes, "(memory.init $d (i32.const 0) (i32.const 0) (local.get 0))"],
  ["table.fill", 100_000, elements, "(table.fill $t (i32.const 0) (ref.null func) (local.get 0))"],
  ["table.copy", 90_000, elements, "(table.copy $t $t (i32.const 0) (i32.const 8) (local.get 0))"],
  ["table.init", 10_000, elements, "(table.init $t $e (i32.const 0) (i32.const 0) (local.get 0))"],
];

test.each(moves)("%s is charged by its length", async (_, length, definitions, move) => {
  const host = await Host.of(`${definitions} (func (export "f") (param i32) ${move})`, plenty);
  const charged = host.charged("f", length);
  expect(charged).toBeGreaterThanOrEqual(length / 8);
  expect(charged).toBeLessThan(length * 10);
});

test.each(moves)("short ones of %s are charged, too", async (_, __, definitions, move) => {
  const text = `${definitions} (func (export "f") (param i32) (local i32) (local.set 1 (i32.const 1000))
    (loop ${move} (br_if 0 (local.tee 1 (i32.sub (local.get 1) (i32.const 1))))))`;
  expect((await Host.of(text, plenty)).charged("f", 16)).toBeGreaterThanOrEqual(50_000);
});

test("growing is charged for each time", async () => {
  const again = (grow: string) => `(func (export "f") (local i32) (local.set 0 (i32.const 10))
    (loop (drop ${grow}) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))`;
  const memory = await Host.of(`(memory 1) ${again("(memory.grow (i32.const 1))")}`, plenty);
  const table = await Host.of(`(table 1 funcref) ${again("(table.grow (ref.null func) (i32.const 1))")}`, plenty);
  expect(memory.charged("f")).toBeGreaterThanOrEqual(100_000);
  expect(table.charged("f")).toBeGreaterThanOrEqual(100_000);
});

test("a call is charged for clearing many locals", async () => {
  const host = await Host.of(`(func $g (local ${"i64 ".repeat(20_000)})) (func (export "f") (call $g))`, plenty);
  expect(host.charged("f")).toBeGreaterThanOrEqual(20_000);
});

test("calls of imported functions are charged", async () => {
  const text = `(import "host" "g" (func $g)) (func (export "f") ${"(call $g)".repeat(10)})`;
  const host = await Host.of(text, { ...plenty, imports: { host: { g: () => undefined } } });
  expect(host.charged("f")).toBeGreaterThanOrEqual(300);
});

test("the counter is what was set, until there is work", async () => {
  const host = await Host.of(`(func (export "f"))`);
  for (const units of [0, 1, 250_000, -3, 2 ** 52]) {
    host.call(COUNTER_SET, units);
    expect(host.call(COUNTER_LEFT)).toBe(units);
  }
});

test("the counter is the same after a call, however often it was refilled", async () => {
  const text = `(func $g (param i32) (result i32) (if (result i32) (local.get 0)
      (then (call $g (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 7))))
    (func (export "f") (param i32) (local i32)
      (loop (local.set 1 (call $g (local.get 0)))
        (loop (br_if 0 (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
        (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))`;
  const charges = await Promise.all(
    [7, 100, 12_345, 1_000_000].map(async (slice) => (await Host.of(text, { slice, slices: 1e9 })).charged("f", 50)),
  );
  expect(new Set(charges).size).toBe(1);
});
