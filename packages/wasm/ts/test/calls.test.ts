/** What works with guests that keep to the ABI. */

import { AnyplugError, Code } from "@anyplug/core";
import { Bench } from "@anyplug/generated/anyplug/bench/v1/bench_anyplug.js";
import { afterEach, expect, test } from "@jest/globals";
import { type LoadWasmOptions, loadWasm } from "../src/load.js";
import type { WasmPlugin } from "../src/plugin.js";
import { at, frame, type GuestParts, guest } from "./guest.js";

const loaded: WasmPlugin[] = [];

async function load(parts: GuestParts = {}, options: LoadWasmOptions = {}): Promise<WasmPlugin> {
  const plugin = await loadWasm(await guest(parts), options);
  loaded.push(plugin);
  return plugin;
}

afterEach(async () => {
  await Promise.all(loaded.splice(0).map((plugin) => plugin.close()));
});

const bytes = (size: number) => Uint8Array.from({ length: size }, (_, index) => index * 7);

test("a guest says who it is, and answers calls of any size", async () => {
  const plugin = await load();
  expect([plugin.name, plugin.version, plugin.transport]).toEqual(["guest", "1.0.0", "wasm"]);
  const bench = plugin.client(Bench);
  for (const size of [0, 1, 16, 4000, 4093, 4094, 4096, 65_536, 1_048_576, 3_000_000]) {
    const data = bytes(size);
    expect(Buffer.compare((await bench.echo({ data })).data, data)).toBe(0);
  }
});

test("a response that came once is not changed by the next", async () => {
  const bench = (await load()).client(Bench);
  for (const size of [16, 100_000]) {
    const first = await bench.echo({ data: bytes(size) });
    await bench.echo({ data: new Uint8Array(size) });
    expect(Buffer.compare(first.data, bytes(size))).toBe(0);
  }
});

test("calls that are made together are all answered", async () => {
  const bench = (await load()).client(Bench);
  const calls = Array.from({ length: 100 }, (_, index) => bench.echo({ data: bytes(index) }));
  expect((await Promise.all(calls)).map(({ data }) => data.length)).toEqual(calls.map((_, index) => index));
});

test("a synchronous client returns the response", async () => {
  const plugin = await load();
  const bench = plugin.syncClient(Bench);
  expect(bench.echo({ data: bytes(16) }).data).toEqual(bytes(16));
  expect("count" in bench).toBe(false);
});

test("a failure has the code and the words of the guest", async () => {
  // Status { code: 5, message: "no" }
  const status = `(i64.store (i32.const 512) (i64.const ${0x6f6e_0212_0508n}))`;
  const call = `${status} (i32.store (i32.const ${at.result}) (i32.const 512)) (i32.store (i32.const ${at.resultBytes}) (i32.const 6)) (i32.const 1)`;
  const plugin = await load({ call });
  const failed = new AnyplugError(Code.NotFound, "no");
  await expect(plugin.client(Bench).echo({})).rejects.toEqual(failed);
  expect(() => plugin.syncClient(Bench).echo({})).toThrow(failed);
});

/** Keeps the id of a call and answers it by frames when it is called for itself. */
const later: GuestParts = {
  extra: "(global $waiting (mut i32) (i32.const 0))",
  call: `(global.set $waiting (local.get $call)) (i32.store (i32.const ${at.wake}) (i32.const 0)) (i32.const 2)`,
  recv: `(if (i32.eqz (local.get $n)) (then
    (i32.store (i32.const ${at.wake}) (i32.const -1))
    ${frame(3, 1, "(global.get $waiting)", "(i32.const 2)", `(i32.const ${at.empty})`)}))`,
};

test("an answer that is pending comes by frames, when the guest is called at the time that it asked for", async () => {
  const bench = (await load(later)).client(Bench);
  expect((await bench.echo({ data: bytes(3) })).data).toEqual(new Uint8Array(0));
  expect((await bench.echo({ data: bytes(3) })).data).toEqual(new Uint8Array(0));
});

test("an answer that was sent while the call ran is not lost", async () => {
  const call = `${frame(3, 1, "(local.get $call)", "(local.get $n)", "(local.get $p)")} (i32.const 2)`;
  const bench = (await load({ call })).client(Bench);
  expect((await bench.echo({ data: bytes(40) })).data).toEqual(bytes(40));
});

test("a call that cannot be answered at once fails in a synchronous client, and works in the other", async () => {
  const plugin = await load(later);
  expect(() => plugin.syncClient(Bench).echo({})).toThrow(expect.objectContaining({ code: Code.FailedPrecondition }));
  expect((await plugin.client(Bench).echo({})).data).toEqual(new Uint8Array(0));
});

test("a deadline ends a call that the guest does not answer", async () => {
  const bench = (await load({ call: "(i32.const 2)" })).client(Bench);
  await expect(bench.echo({}, { timeoutMs: 1 })).rejects.toMatchObject({ code: Code.DeadlineExceeded });
});

test("a signal ends a call that the guest does not answer", async () => {
  const bench = (await load({ call: "(i32.const 2)" })).client(Bench);
  const controller = new AbortController();
  const call = bench.echo({}, { signal: controller.signal });
  controller.abort();
  await expect(call).rejects.toMatchObject({ code: Code.Cancelled });
});

test("a call header goes before the message, and a stream goes by frames", async () => {
  const count = `(if (i32.eq (i32.load8_u offset=4 (local.get $p)) (i32.const 2)) (then
    ${frame(3, 0, "(i32.load offset=8 (local.get $p))", "(i32.const 2)", `(i32.const ${at.empty})`)}
    ${frame(4, 0, "(i32.load offset=8 (local.get $p))")}))`;
  // With a header, which is of 4 bytes and more, the message is empty: it fails unless the header is seen.
  const call = `(if (i32.lt_u (local.get $method) (i32.const 65536)) (then unreachable))
    (i32.store (i32.const ${at.result}) (i32.add (i32.add (local.get $p) (i32.const 4)) (i32.load (local.get $p))))
    (i32.store (i32.const ${at.resultBytes}) (i32.sub (local.get $n) (i32.add (i32.const 4) (i32.load (local.get $p)))))
    (i32.const 0)`;
  const bench = (await load({ call, recv: count })).client(Bench);
  expect((await bench.echo({ data: bytes(9) }, { timeoutMs: 60_000 })).data).toEqual(bytes(9));
  const messages = [];
  for await (const message of bench.count({})) messages.push(message.data.length);
  expect(messages).toEqual([0]);
});

test("memory that grows while a call runs is read where the answer lies", async () => {
  const call = `(local $end i32)
    (local.set $end (i32.shl (memory.grow (i32.const 3)) (i32.const 16)))
    (memory.copy (local.get $end) (local.get $p) (local.get $n))
    (i32.store (i32.const ${at.result}) (local.get $end)) (i32.store (i32.const ${at.resultBytes}) (local.get $n)) (i32.const 0)`;
  const bench = (await load({ call })).client(Bench);
  for (const size of [16, 10_000]) expect((await bench.echo({ data: bytes(size) })).data).toEqual(bytes(size));
});

/** Answers how many calls its instance has had; one with five bytes of data waits, one with six traps. */
const counting: GuestParts = {
  extra: "(global $count (mut i32) (i32.const 0))",
  call: `(global.set $count (i32.add (global.get $count) (i32.const 1)))
    (if (i32.eq (local.get $n) (i32.const 7)) (then (return (i32.const 2))))
    (if (i32.eq (local.get $n) (i32.const 8)) (then unreachable))
    (i32.store8 (i32.const 512) (i32.const 10)) (i32.store8 (i32.const 513) (i32.const 1))
    (i32.store8 (i32.const 514) (global.get $count))
    (i32.store (i32.const ${at.result}) (i32.const 512)) (i32.store (i32.const ${at.resultBytes}) (i32.const 3)) (i32.const 0)`,
};

test("a module that is loaded twice is compiled once, and its instances share nothing", async () => {
  const module = await guest(counting);
  const one = await loadWasm(module);
  const other = await loadWasm(module.slice().buffer);
  loaded.push(one, other);
  const count = async (plugin: WasmPlugin) => (await plugin.client(Bench).echo({})).data[0];
  expect([await count(one), await count(one), await count(other)]).toEqual([1, 2, 1]);
});

test("several instances share the calls, and one that traps takes none of the others with it", async () => {
  const plugin = await load(counting, { wasm: { instances: 2 } });
  const bench = plugin.client(Bench);
  const count = async () => (await bench.echo({})).data[0];
  expect([await count(), await count()]).toEqual([1, 2]);
  const giveUp = new AbortController();
  const waiting = bench.echo({ data: bytes(5) }, { signal: giveUp.signal }).catch((reason: unknown) => reason);
  // The first instance has a call that waits: the second one answers, and when that has trapped, a third.
  expect([await count(), await count()]).toEqual([1, 2]);
  await expect(bench.echo({ data: bytes(6) })).rejects.toMatchObject({ code: Code.Internal });
  expect(await count()).toBe(1);
  giveUp.abort();
  expect(await waiting).toMatchObject({ code: Code.Cancelled });
});

test("a module that was compiled already is loaded without its bytes, and says which limits do not hold", async () => {
  const plugin = await loadWasm(await WebAssembly.compile((await guest()) as Uint8Array<ArrayBuffer>));
  loaded.push(plugin);
  expect((await plugin.client(Bench).echo({ data: bytes(3) })).data).toEqual(bytes(3));
  expect(plugin.enforced).toEqual(["maxWasmBytes: when loaded"]);
});

test("a closed plugin takes no calls", async () => {
  const plugin = await load();
  const bench = plugin.client(Bench);
  await bench.echo({});
  await plugin.close();
  await expect(bench.echo({})).rejects.toMatchObject({ code: Code.Unavailable, message: /was closed/ });
  expect((await plugin.closed).code).toBe(Code.Unavailable);
});
