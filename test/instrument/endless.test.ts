/** What would run for ever, or nearly, is stopped: each test is a way that a module could hide a loop. */

import { START } from "@anyplug/wasm/instrument";
import { expect, test } from "@jest/globals";
import { assemble, expectStopped, Host, Stopped } from "./guests.js";

const loops: Record<string, string> = {
  "a loop": `(func (export "f") (loop br 0))`,
  "a loop that may end": `(func (export "f") (loop (br_if 0 (i32.const 1))))`,
  "a loop by a table of labels": `(func (export "f") (loop (block (br_table 1 0 1 (i32.const 5)))))`,
  "a loop from within another, by a table of labels": `(func (export "f") (local i32)
    (loop $out (loop $in
      (local.set 0 (i32.add (local.get 0) (i32.const 1)))
      (block (br_table $in $out 0 (i32.and (local.get 0) (i32.const 1))))) ))`,
  "the outer of two loops, where the inner one ends at once": `(func (export "f")
    (loop $out (block $next (loop $in (br $next))) (br $out)))`,
  "the outer of two loops, past the inner one": `(func (export "f") (local i32)
    (loop $out (if (local.get 0) (then (loop $in (br_if $in (i32.const 0))))) (br $out)))`,
  "a loop in a loop that is left from within": `(func (export "f")
    (block $end (loop $a (loop $b (loop $c (br_if $a (i32.const 1)) (br_if $b (i32.const 1)) (br $c))))))`,
  "a loop with parameters and results": `(func (export "f") (result i32)
    (i32.const 1) (i64.const 2) (loop (param i32 i64) (result i32)
      (drop) (i32.const 1) (i32.add) (i64.const 3) (br 0)))`,
  "a loop that calls a function that does nothing": `(func $g) (func (export "f") (loop (call $g) (br 0)))`,
  "a loop that calls now and then a function that is checked": `(func $g (param i32)
      (if (local.get 0) (then (call $g (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "f") (local i32) (loop (if (local.get 0) (then (call $g (i32.const 1)))) (br 0)))`,
  "a loop after code that is never reached": `(func (export "f") (block (br 0) (loop (br 0))) (loop (br 0)))`,
  "a loop that grows nothing": `(memory 1) (func (export "f") (loop (drop (memory.grow (i32.const 0))) (br 0)))`,
  "a loop that moves nothing": `(memory 1)
    (func (export "f") (loop (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)) (br 0)))`,
};

const recursions: Record<string, string> = {
  // Else its own stack stops it.
  "a function that calls itself twice": `(func $f (export "f") (call $g (i32.const 40)))
    (func $g (param i32) (if (local.get 0) (then
      (call $g (i32.sub (local.get 0) (i32.const 1))) (call $g (i32.sub (local.get 0) (i32.const 1))))))`,
  "functions that call each other": `(func (export "f") (call $g (i32.const 40)))
    (func $g (param i32) (if (local.get 0) (then (call $h (local.get 0)) (call $h (local.get 0)))))
    (func $h (param i32) (call $g (i32.sub (local.get 0) (i32.const 1))))`,
  "a function that calls itself through a table": `(type $t (func (param i32))) (table 1 funcref) (elem (i32.const 0) $g)
    (func (export "f") (call $g (i32.const 40)))
    (func $g (param i32) (if (local.get 0) (then
      (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0))
      (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)))))`,
  "a function that puts itself into a table": `(type $t (func (param i32))) (type $same (func (param i32)))
    (table 1 funcref) (elem declare func $g)
    (func (export "f") (table.set (i32.const 0) (ref.func $g)) (call $g (i32.const 40)))
    (func $g (type $t) (if (local.get 0) (then
      (call_indirect (type $same) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0))
      (call_indirect (type $same) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)))))`,
  "a tail call of itself": `(func $f (export "f") (return_call $f))`,
  "tail calls of each other": `(func $f (export "f") (return_call $g)) (func $g (return_call $f))`,
  "a tail call through a table": `(type $t (func)) (table 1 funcref) (elem (i32.const 0) $f)
    (func $f (export "f") (return_call_indirect (type $t) (i32.const 0)))`,
  "a tail call out of a loop": `(func $f (export "f") (local i32)
    (loop (local.set 0 (i32.add (local.get 0) (i32.const 1))) (br_if 0 (i32.lt_s (local.get 0) (i32.const 3))))
    (return_call $f))`,
};

/** Functions of which each calls the next one twice: no recursion, no loop, and 2^40 calls. */
function doubling(levels: number, call: (next: number) => string): string {
  const one = (level: number) => `(func $f${level} ${level === 0 ? "" : `${call(level - 1)} ${call(level - 1)}`})`;
  return `${Array.from({ length: levels }, (_, level) => one(level)).join("")}
    (func (export "f") (call $f${levels - 1}))`;
}

const chains: Record<string, string> = {
  "a chain of functions that each call the next twice": doubling(40, (next) => `(call $f${next})`),
  "such a chain, through a table": `(type $t (func)) (table 40 funcref)
    (elem (i32.const 0) ${Array.from({ length: 40 }, (_, level) => `$f${level}`).join(" ")})
    ${doubling(40, (next) => `(call_indirect (type $t) (i32.const ${next}))`)}`,
  "such a chain, of blocks": doubling(40, (next) => `(block (br_if 0 (i32.const 0)) (call $f${next}))`),
  // Each level has 1,000 calls: what is done in a row without a check must stay small, too.
  "many calls in a row": `(func $a) ${["b", "c", "d", "e"]
    .map((name, at) => `(func $${name} ${`(call $${"abcd"[at]})`.repeat(1000)})`)
    .join("")} (func (export "f") (call $e))`,
};

test.each(Object.entries({ ...loops, ...recursions, ...chains }))("%s is stopped", async (_, text) => {
  await expectStopped(text);
});

test("a function that ends in a trap is charged for what it calls before", async () => {
  const text = `(func $a) (func $b ${"(call $a)".repeat(100)}) (func $c ${"(call $b)".repeat(1000)} unreachable)
    (func (export "f") (call $c))`;
  await expectStopped(text, { slices: 10 });
});

test("a start function is not run when the module is instantiated, and is stopped when the host runs it", async () => {
  const host = await Host.of(`(func $s (loop (br 0))) (start $s) (func (export "f"))`);
  host.call("f");
  expect(() => host.call(START)).toThrow(Stopped);
});

test("a module without a start function has no export for it", async () => {
  expect((await Host.of(`(func (export "f"))`)).exported(START)).toBeUndefined();
});

test("an imported function that calls back does not hide a loop", async () => {
  const imports: { host: { back: () => void } } = { host: { back: () => undefined } };
  const text = `(import "host" "back" (func $back)) (func (export "f") (call $back) (call $back))`;
  const host = await Host.of(text, { imports, slice: 10, slices: 200 });
  imports.host.back = () => undefined;
  let depth = 0;
  const again = await Host.of(text, {
    imports: {
      host: {
        back: () => {
          if (++depth < 30) again.call("f");
          depth--;
        },
      },
    },
    slice: 10,
    slices: 200,
  });
  expect(() => host.call("f")).not.toThrow();
  expect(() => again.call("f")).toThrow(Stopped);
});

test("a function of the host in a table does not hide a loop", async () => {
  const text = `(type $t (func)) (table (export "table") 1 funcref)
    (func (export "f") (call_indirect (type $t) (i32.const 0)) (call_indirect (type $t) (i32.const 0)))`;
  const host = await Host.of(text, { slice: 10, slices: 200 });
  let depth = 0;
  const back = await Host.of(`(import "host" "back" (func $back)) (export "back" (func $back))`, {
    imports: {
      host: {
        back: () => {
          if (++depth < 30) host.call("f");
          depth--;
        },
      },
    },
  });
  (host.instance.exports["table"] as WebAssembly.Table).set(0, back.exported("back"));
  expect(() => host.call("f")).toThrow(Stopped);
});

test.each(["i32.const 0", "i32.const 1"])("what was stopped once is stopped again (%s)", async (depth) => {
  const host = await Host.of(`(func (export "f") (loop (loop (br_table 0 1 (${depth})))))`, { slices: 3 });
  expect(() => host.call("f")).toThrow(Stopped);
});

test("an instance of the same bytes has a counter of its own", async () => {
  const bytes = assemble(loops["a loop"] ?? "");
  await expectStopped(bytes, { slices: 1 });
  await expectStopped(bytes, { slices: 1 });
});
