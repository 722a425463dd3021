/** What a guest may use, and what happens when it wants more. */

import { Code } from "@anyplug/core";
import { Bench } from "@anyplug/generated/anyplug/bench/v1/bench_anyplug.js";
import { expect, test } from "@jest/globals";
import type { WasmOptions } from "../src/limits.js";
import { loadWasm } from "../src/load.js";
import { at, type GuestParts, guest } from "./guest.js";

/** Misbehaves when the data of a call is five bytes: a message of seven, or more with a header. Else it echoes. */
function onFive(evil: string, extra = ""): GuestParts {
  const echo = `(i32.store (i32.const ${at.result}) (local.get $p)) (i32.store (i32.const ${at.resultBytes}) (local.get $n))`;
  return { call: `(if (i32.ge_u (local.get $n) (i32.const 7)) (then ${evil})) ${echo} (i32.const 0)`, extra };
}

const five = { data: Uint8Array.of(1, 2, 3, 4, 5) };
const forEver = "(loop $more (br $more))";

/** What an evil call ends with; the next one works. */
async function failureOf(parts: GuestParts, wasm: WasmOptions, callOptions = {}): Promise<unknown> {
  await using plugin = await loadWasm(await guest(parts), { wasm });
  const error = await plugin
    .client(Bench)
    .echo(five, callOptions)
    .catch((reason: unknown) => reason);
  const { data } = await plugin.client(Bench).echo({ data: Uint8Array.of(1) });
  expect(data).toEqual(Uint8Array.of(1));
  expect(() => plugin.syncClient(Bench).echo(five, callOptions)).toThrow(
    expect.objectContaining({ code: (error as { code: Code }).code }),
  );
  expect(plugin.syncClient(Bench).echo({ data: Uint8Array.of(2) }).data).toEqual(Uint8Array.of(2));
  return error;
}

const stoppedAfter = (ms: number) => ({
  code: Code.DeadlineExceeded,
  message: `plugin "guest" was stopped after ${ms} ms`,
});

test("a loop without end is stopped", async () => {
  expect(await failureOf(onFive(forEver), { callTimeoutMs: 500 })).toMatchObject(stoppedAfter(500));
});

test("functions that call each other twice without end are stopped, at whatever depth they are", async () => {
  // Neither a loop nor a recursion: 2^40 calls.
  const levels = Array.from({ length: 40 }, (_, level) => {
    return `(func $level${level} ${level === 39 ? "" : `(call $level${level + 1}) (call $level${level + 1})`})`;
  });
  const chain = onFive("(call $level0)", levels.join("\n"));
  expect(await failureOf(chain, { callTimeoutMs: 500 })).toMatchObject(stoppedAfter(500));
  const fibonacci = `(func $fib (param $n i32) (result i32)
    (if (result i32) (i32.lt_s (local.get $n) (i32.const 2)) (then (local.get $n))
      (else (i32.add (call $fib (i32.sub (local.get $n) (i32.const 1))) (call $fib (i32.sub (local.get $n) (i32.const 2)))))))`;
  const recursion = onFive("(drop (call $fib (i32.const 100)))", fibonacci);
  expect(await failureOf(recursion, { callTimeoutMs: 500 })).toMatchObject(stoppedAfter(500));
});

test("a loop over bulk operations, and one over what the host does, is stopped", async () => {
  const fill = "(loop $more (memory.fill (i32.const 8192) (i32.const 1) (i32.const 65536)) (br $more))";
  expect(await failureOf(onFive(fill), { callTimeoutMs: 500 })).toMatchObject(stoppedAfter(500));
  const random = "(loop $more (call $random (i32.const 8192) (i32.const 65536)) (br $more))";
  const extra = `(import "anyplug" "random" (func $random (param i32 i32)))`;
  expect(await failureOf(onFive(random, extra), { callTimeoutMs: 500 })).toMatchObject(stoppedAfter(500));
});

test("a call may run until its deadline, if that comes before the limit", async () => {
  const error = await failureOf(onFive(forEver), { callTimeoutMs: 600_000 }, { timeoutMs: 20 });
  expect(error).toMatchObject({ code: Code.DeadlineExceeded });
});

test("a guest that handles a frame may run until the last of the calls that wait is over", async () => {
  const isRequest = "(i32.eq (i32.load8_u offset=4 (local.get $p)) (i32.const 2))";
  const parts = { recv: `(if ${isRequest} (then ${forEver}))` };
  await using plugin = await loadWasm(await guest(parts), { wasm: { callTimeoutMs: 600_000 } });
  const read = async () => {
    for await (const _ of plugin.client(Bench).count({}, { timeoutMs: 20 })) throw new Error("a message came");
  };
  await expect(read()).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  expect((await plugin.client(Bench).echo(five)).data).toEqual(five.data);
});

test("a start function, and what gets ready, are stopped too", async () => {
  for (const parts of [{ extra: `(func $start ${forEver}) (start $start)` }, { abi: `${forEver} (i32.const 16)` }]) {
    await expect(loadWasm(await guest(parts), { wasm: { callTimeoutMs: 500 } })).rejects.toMatchObject(
      stoppedAfter(500),
    );
  }
});

test("a guest that gets ready without end is stopped when the time for its start is over", async () => {
  const parts = { abi: `${forEver} (i32.const 16)` };
  await expect(loadWasm(await guest(parts), { startTimeoutMs: 50 })).rejects.toMatchObject({
    code: Code.DeadlineExceeded,
  });
});

test("room is given and taken back within the limit", async () => {
  const big = { data: new Uint8Array(5000) };
  for (const parts of [{ alloc: `${forEver} (i32.const 0)` }]) {
    await using plugin = await loadWasm(await guest(parts), { wasm: { callTimeoutMs: 500 } });
    await expect(plugin.client(Bench).echo(big)).rejects.toMatchObject(stoppedAfter(500));
    expect((await plugin.client(Bench).echo(five)).data).toEqual(five.data);
  }
});

test("fuel is work, whatever time it takes", async () => {
  const count = (turns: number) => `(local.set $n (i32.const ${turns}))
    (loop $more (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br_if $more (local.get $n)))
    (local.set $n (i32.const 7))`;
  const fuel = 1_000_000;
  expect(await failureOf(onFive(count(10_000_000)), { fuel })).toMatchObject({
    code: Code.ResourceExhausted,
    message: 'plugin "guest" used up its 1000000 units of fuel for one call; raise wasm.fuel',
  });
  // Each call has its own.
  await using plugin = await loadWasm(await guest(onFive(count(50_000))), { wasm: { fuel } });
  for (let call = 0; call < 20; call++) expect((await plugin.client(Bench).echo(five)).data).toEqual(five.data);
});

test("memory grows up to its limit", async () => {
  const grow = "(loop $more (br_if $more (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0)))) unreachable";
  expect(await failureOf(onFive(grow), { maxMemoryBytes: 1_000_000 })).toMatchObject({
    code: Code.ResourceExhausted,
    message: 'plugin "guest" ended: it wants 1048576 bytes of memory, and may have 1000000; raise wasm.maxMemoryBytes',
  });
});

test("more memory than there may be, wanted at once, is why a guest ends that gives up then", async () => {
  const grow = "(if (i32.lt_s (memory.grow (i32.const 16384)) (i32.const 0)) (then unreachable))";
  expect(await failureOf(onFive(grow), {})).toMatchObject({
    code: Code.ResourceExhausted,
    message:
      'plugin "guest" ended: it wants 1074003968 bytes of memory, and may have 268435456; raise wasm.maxMemoryBytes',
  });
  const table = "(if (i32.lt_s (table.grow $t (ref.null func) (i32.const 100000)) (i32.const 0)) (then unreachable))";
  expect(await failureOf(onFive(table, "(table $t 1 funcref)"), {})).toMatchObject({
    code: Code.ResourceExhausted,
    message:
      'plugin "guest" ended: it wants a table of 100001 elements, and may have 100000; raise wasm.maxTableElements',
  });
});

test("what a module itself sets as its maximum is no limit to raise", async () => {
  const grow = "(if (i32.lt_s (memory.grow (i32.const 5)) (i32.const 0)) (then unreachable))";
  const memory = '(memory (export "memory") 4 8)';
  expect(await failureOf({ ...onFive(grow), memory }, {})).toMatchObject({
    code: Code.ResourceExhausted,
    message: 'plugin "guest" ended: it wants 589824 bytes of memory, and did not get it',
  });
});

test("one that did without the memory, and traps in another call, trapped", async () => {
  const grow = "(drop (memory.grow (i32.const 16384)))";
  const isSix = "(if (i32.eq (local.get $n) (i32.const 8)) (then unreachable))";
  await using plugin = await loadWasm(await guest(onFive(`${isSix} ${grow}`)));
  expect((await plugin.client(Bench).echo(five)).data).toEqual(five.data);
  await expect(plugin.client(Bench).echo({ data: Uint8Array.of(1, 2, 3, 4, 5, 6) })).rejects.toMatchObject({
    code: Code.Internal,
    message: 'plugin "guest" trapped: unreachable',
  });
});

test("tables: how many, and of what size", async () => {
  const tables = "(table 2 funcref)".repeat(3);
  await expect(loadWasm(await guest({ extra: tables }), { wasm: { maxTables: 2 } })).rejects.toMatchObject({
    code: Code.ResourceExhausted,
  });
  const large = "(table 11 funcref)";
  await expect(loadWasm(await guest({ extra: large }), { wasm: { maxTableElements: 10 } })).rejects.toMatchObject({
    code: Code.ResourceExhausted,
  });
  // What does not grow says so, and the guest goes on.
  const extra = "(table $t 1 funcref)";
  const evil = `(if (i32.ne (table.grow $t (ref.null func) (i32.const 1000000)) (i32.const -1)) (then unreachable))`;
  await using plugin = await loadWasm(await guest(onFive(evil, extra)));
  expect((await plugin.client(Bench).echo(five)).data).toEqual(five.data);
});

test("what cannot be held to limits is refused", async () => {
  const extra = "(tag $fault) (func $fails (throw $fault))";
  await expect(loadWasm(await guest({ extra }))).rejects.toMatchObject({
    code: Code.FailedPrecondition,
    message: expect.stringMatching(/^the module cannot be loaded: /),
  });
});

test("a loop over vectors is stopped as others are", async () => {
  const extra = `(global $vector (mut v128) (v128.const i32x4 1 2 3 4))`;
  const add = "(global.set $vector (i32x4.add (global.get $vector) (v128.const i32x4 1 1 1 1)))";
  const evil = `(loop $more ${add} (br $more))`;
  expect(await failureOf(onFive(evil, extra), { callTimeoutMs: 500 })).toMatchObject(stoppedAfter(500));
});

test("a plugin says which limits hold", async () => {
  await using plugin = await loadWasm(await guest(), { wasm: { fuel: 1e9 } });
  expect(plugin.enforced).toEqual([
    "maxWasmBytes: when loaded",
    "callTimeout: instrumented",
    "fuel: instrumented",
    "maxMemoryBytes: instrumented",
    "maxTables: when loaded",
    "maxTableElements: instrumented",
  ]);
});
