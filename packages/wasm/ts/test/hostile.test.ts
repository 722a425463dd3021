/** Guests that break the ABI. Each is an error for that plugin, and for nothing else. */

import { Code } from "@anyplug/core";
import { Bench } from "@anyplug/generated/anyplug/bench/v1/bench_anyplug.js";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { loadWasm } from "../src/load.js";
import type { WasmPlugin } from "../src/plugin.js";
import { at, frame, type GuestParts, guest } from "./guest.js";

/** A plugin that is loaded all the time, and notices nothing. */
let bystander: WasmPlugin;

beforeAll(async () => {
  bystander = await loadWasm(await guest());
});

afterAll(async () => {
  expect(await answer(bystander)).toEqual(Uint8Array.of(1, 2, 3));
  await bystander.close();
});

async function answer(plugin: WasmPlugin): Promise<Uint8Array> {
  return (await plugin.client(Bench).echo({ data: Uint8Array.of(1, 2, 3) })).data;
}

/** Misbehaves when the data of a call is five bytes: a message of seven. Else it echoes. */
function onFive(evil: string): GuestParts {
  const echo = `(i32.store (i32.const ${at.result}) (local.get $p)) (i32.store (i32.const ${at.resultBytes}) (local.get $n))`;
  return { call: `(if (i32.eq (local.get $n) (i32.const 7)) (then ${evil})) ${echo} (i32.const 0)` };
}

const five = { data: Uint8Array.of(1, 2, 3, 4, 5) };

/** What an evil call ends with; after it, the plugin works again: by another instance where `isReplaced`. */
async function failureOf(parts: GuestParts, options = {}): Promise<unknown> {
  const plugin = await loadWasm(await guest(parts), options);
  try {
    expect(await answer(plugin)).toEqual(Uint8Array.of(1, 2, 3));
    const error = await plugin
      .client(Bench)
      .echo(five)
      .catch((reason: unknown) => reason);
    expect(await answer(plugin)).toEqual(Uint8Array.of(1, 2, 3));
    // The synchronous way fails in the same words.
    const sync = plugin.syncClient(Bench);
    expect(() => sync.echo(five)).toThrow(error as Error);
    expect(sync.echo({ data: Uint8Array.of(9) }).data).toEqual(Uint8Array.of(9));
    expect(await answer(bystander)).toEqual(Uint8Array.of(1, 2, 3));
    return error;
  } finally {
    await plugin.close();
  }
}

const store = (where: number, value: number) => `(i32.store (i32.const ${where}) (i32.const ${value}))`;

test("a trap", async () => {
  expect(await failureOf(onFive("unreachable"))).toMatchObject({
    code: Code.Internal,
    message: 'plugin "guest" trapped: unreachable',
  });
  const division = onFive("(drop (i32.div_s (i32.const 1) (i32.const 0)))");
  expect(await failureOf(division)).toMatchObject({ code: Code.Internal, message: expect.stringMatching(/trapped/) });
});

test("a trap keeps what the guest logged before it", async () => {
  const parts = onFive(`(call $log (i32.const 5) (i32.const 700) (i32.const 8)) unreachable`);
  const extra = `(import "anyplug" "log" (func $log (param i32 i32 i32))) (data (i32.const 700) "panicked")`;
  const lines: string[] = [];
  const options = {
    onLog: ({ level, message }: { level: string; message: string }) => lines.push(`${level} ${message}`),
  };
  expect(await failureOf({ ...parts, extra }, options)).toMatchObject({
    message: 'plugin "guest" trapped: unreachable',
  });
  expect(lines).toEqual(["error panicked", "error panicked"]);
});

test("recursion without end", async () => {
  const parts = { ...onFive("(call $deeper)"), extra: "(func $deeper (call $deeper) (call $deeper))" };
  expect(await failureOf(parts)).toMatchObject({ code: Code.Internal, message: expect.stringMatching(/call stack/) });
});

test("a result out of its memory", async () => {
  const ranges = [
    [0, 0xffff_ffff | 0],
    [0xffff_ffff | 0, 1],
    [0x8000_0000 | 0, 0x8000_0000 | 0],
    [4 * 65_536, 1],
    [4 * 65_536 - 1, 2],
  ];
  for (const [pointer = 0, size = 0] of ranges) {
    const evil = `${store(at.result, pointer)} ${store(at.resultBytes, size)} (return (i32.const 0))`;
    expect(await failureOf(onFive(evil))).toMatchObject({
      code: Code.Internal,
      message: expect.stringMatching(
        /^plugin "guest" broke the embedded ABI: the result is \d+ bytes at \d+, and its memory has 262144$/,
      ),
    });
  }
});

test("a result that overlaps the exchange area, and one that is no message", async () => {
  const evil = `${store(at.result, at.exchange)} ${store(at.resultBytes, 24)} (return (i32.const 0))`;
  expect(await failureOf(onFive(evil))).toMatchObject({
    code: Code.Internal,
    message: expect.stringMatching(/the response of .*Echo cannot be parsed/),
  });
});

test("a result of more than a message may have", async () => {
  const evil = `${store(at.result, 0)} ${store(at.resultBytes, 100_000)} (return (i32.const 0))`;
  expect(await failureOf(onFive(evil), { limits: { maxMessageBytes: 50_000 } })).toMatchObject({
    code: Code.Unavailable,
    message: "the connection ended: a message of 100000 bytes is over the limit of 50000 bytes",
  });
});

test("a value of anyplug_call that says nothing", async () => {
  for (const value of [3, -1]) {
    expect(await failureOf(onFive(`(return (i32.const ${value}))`))).toMatchObject({
      code: Code.Internal,
      message: `plugin "guest" broke the embedded ABI: anyplug_call returned ${value}, expected 0, 1 or 2`,
    });
  }
});

test("a status that cannot be read", async () => {
  const evil = `${store(512, -1)} ${store(at.result, 512)} ${store(at.resultBytes, 4)} (return (i32.const 1))`;
  expect(await failureOf(onFive(evil))).toMatchObject({
    code: Code.Unavailable,
    message: expect.stringMatching(/answered by a status that cannot be parsed/),
  });
});

test("a failure that says it is a success", async () => {
  const evil = `${store(at.resultBytes, 0)} (return (i32.const 1))`;
  expect(await failureOf(onFive(evil))).toMatchObject({ code: Code.Internal, message: /succeeded without a response/ });
});

test("ranges out of its memory for what it imports", async () => {
  const imports: Record<string, string> = {
    send: "(call $send (i32.const 1) (i32.const -1))",
    random: "(call $random (i32.const -1) (i32.const 2))",
    log: `(call $log (i32.const 1) (i32.const ${4 * 65_536}) (i32.const 1))`,
  };
  const extra = `(import "anyplug" "random" (func $random (param i32 i32)))
    (import "anyplug" "log" (func $log (param i32 i32 i32)))`;
  for (const [name, evil] of Object.entries(imports)) {
    expect(await failureOf({ ...onFive(evil), extra })).toMatchObject({
      code: Code.Internal,
      message: expect.stringMatching(new RegExp(`broke the embedded ABI: ${name} was given \\d+ bytes at \\d+`)),
    });
  }
});

test("malformed frames", async () => {
  const frames: [string, RegExp][] = [
    [frame(3, 1, "(i32.const 0)"), /MESSAGE without a call/],
    [frame(1, 0, "(i32.const 0)"), /a second HELLO/],
    [frame(2, 1, "(i32.const 3)"), /REQUEST with call id 3/],
    [frame(7, 0, "(i32.const 0)", "(i32.const 65)"), /PING of 65 bytes/],
    [
      "(i32.store (i32.const 64) (i32.const -1)) (call $send (i32.const 64) (i32.const 12))",
      /announces 4294967295 bytes/,
    ],
  ];
  for (const [sent, message] of frames) {
    // The call ends with the connection, whose end is told before the answer counts.
    const plugin = await loadWasm(await guest(onFive(`${sent} (return (i32.const 2))`)));
    await expect(plugin.client(Bench).echo(five)).rejects.toMatchObject({ code: Code.Unavailable, message });
    expect(await answer(plugin)).toEqual(Uint8Array.of(1, 2, 3));
    await plugin.close();
  }
});

test("more bytes sent in one go than it may have", async () => {
  const evil = `(loop $more (call $send (i32.const 0) (i32.const 65536)) (br $more))`;
  expect(await failureOf(onFive(evil), { wasm: { maxMemoryBytes: 1_000_000 } })).toMatchObject({
    code: Code.ResourceExhausted,
    message: 'plugin "guest" sent more than 1000000 bytes in one go; raise wasm.maxMemoryBytes',
  });
});

test("room that it does not have", async () => {
  const big = { data: new Uint8Array(5000) };
  const none = await loadWasm(await guest({ alloc: "(i32.const 0)" }));
  await expect(none.client(Bench).echo(big)).rejects.toMatchObject({
    code: Code.ResourceExhausted,
    message: 'plugin "guest" has no room for a message of 5003 bytes; raise wasm.maxMemoryBytes',
  });
  expect(await answer(none)).toEqual(Uint8Array.of(1, 2, 3));
  await none.close();
  for (const alloc of ["(i32.const -8)", `(i32.const ${4 * 65_536 - 5002})`]) {
    const lying = await loadWasm(await guest({ alloc }));
    await expect(lying.client(Bench).echo(big)).rejects.toMatchObject({
      code: Code.Internal,
      message: /anyplug_alloc is/,
    });
    expect(await answer(lying)).toEqual(Uint8Array.of(1, 2, 3));
    await lying.close();
  }
});

test("an exchange area or a scratch buffer out of its memory", async () => {
  const refused = async (parts: GuestParts) => {
    const error = await loadWasm(await guest(parts)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: Code.Internal });
    return (error as Error).message;
  };
  expect(await refused({ abi: "(i32.const -4)" })).toMatch(/the exchange area is 24 bytes at 4294967292/);
  expect(await refused({ abi: `(i32.const ${4 * 65_536 - 20})` })).toMatch(/the exchange area/);
  expect(await refused({ abi: "(i32.const 18)" })).toMatch(/the exchange area/);
  expect(await refused({ exchange: [2, 4096, 4096, 0, 0, 0] })).toMatch(/says version 2/);
  expect(await refused({ exchange: [1, 4096, 4095, 0, 0, 0] })).toMatch(/the scratch buffer is 4095 bytes/);
  expect(await refused({ exchange: [1, 4096, 0xffff_ffff, 0, 0, 0] })).toMatch(/the scratch buffer/);
  expect(await refused({ abi: "unreachable" })).toMatch(/trapped: unreachable/);
  expect(await refused({ extra: "(func $start unreachable) (start $start)" })).toMatch(/trapped: unreachable/);
});

test("a hello that is not that of its section", async () => {
  for (const hello of [{ name: "other" }, { version: "2.0.0" }]) {
    await expect(loadWasm(await guest({ hello }))).rejects.toMatchObject({
      code: Code.FailedPrecondition,
      message: expect.stringMatching(/says two things: its section says "guest" 1.0.0, its hello/),
    });
  }
});

test("a guest that never says hello", async () => {
  const never = guest({ abi: "(global.set $spoke (i32.const 1)) (i32.const 16)" });
  await expect(loadWasm(await never, { startTimeoutMs: 20 })).rejects.toMatchObject({ code: Code.DeadlineExceeded });
});

test("calls that were waiting when another one trapped end with UNAVAILABLE, in the same words", async () => {
  const trap = "(if (i32.eq (local.get $n) (i32.const 7)) (then unreachable)) (i32.const 2)";
  const bench = (await loadWasm(await guest({ call: trap }))).client(Bench);
  const waiting = bench.echo({}).catch((reason: unknown) => reason);
  // The first call compares the schemas, which takes a turn.
  await expect(bench.echo(five)).rejects.toMatchObject({ code: Code.Internal });
  expect(await waiting).toMatchObject({
    code: Code.Unavailable,
    message: 'the connection ended: plugin "guest" trapped: unreachable',
  });
});

test("a trap while a frame is handled is the error of its call; while it does what is due, of the only one that waits", async () => {
  const isRequest = "(i32.eq (i32.load8_u offset=4 (local.get $p)) (i32.const 2))";
  const plugin = await loadWasm(await guest({ recv: `(if ${isRequest} (then unreachable))` }));
  const read = async () => {
    for await (const _ of plugin.client(Bench).count({})) throw new Error("a message came");
  };
  await expect(read()).rejects.toMatchObject({ code: Code.Internal, message: 'plugin "guest" trapped: unreachable' });
  await expect(read()).rejects.toMatchObject({ code: Code.Internal });
  await plugin.close();
  const parts: GuestParts = {
    call: `(i32.store (i32.const ${at.wake}) (i32.const 0)) (i32.const 2)`,
    recv: "(if (i32.eqz (local.get $n)) (then unreachable))",
  };
  const late = await loadWasm(await guest(parts));
  await expect(late.client(Bench).echo({})).rejects.toMatchObject({ code: Code.Internal });
  await late.close();
});

test("a guest that asks its host without end leaves the event loop its turns", async () => {
  // Each answer to its request makes it send the next.
  const next = "(global.set $id (i32.add (global.get $id) (i32.const 2)))";
  const ask = `${next} ${frame(2, 1, "(global.get $id)")}`;
  const parts: GuestParts = {
    extra: "(global $id (mut i32) (i32.const 0))",
    recv: `(if (i32.eq (i32.load8_u offset=4 (local.get $p)) (i32.const 4)) (then ${ask}))`,
    call: `${ask} (i32.const 2)`,
  };
  const plugin = await loadWasm(await guest(parts));
  const call = plugin
    .client(Bench)
    .echo({})
    .catch((reason: unknown) => reason);
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  await plugin.link.close();
  expect(await call).toMatchObject({ code: Code.Unavailable });
});

test("what is called for a guest that is running is called when it has returned", async () => {
  // It logs within the call; the host calls it from there.
  const parts = onFive("(call $log (i32.const 3) (i32.const 700) (i32.const 2))");
  const extra = `(import "anyplug" "log" (func $log (param i32 i32 i32))) (data (i32.const 700) "hi")`;
  const inner: Uint8Array[] = [];
  const plugin: WasmPlugin = await loadWasm(await guest({ ...parts, extra }), {
    onLog: () => inner.push(plugin.syncClient(Bench).echo({ data: Uint8Array.of(8) }).data),
  });
  expect((await plugin.client(Bench).echo(five)).data).toEqual(five.data);
  expect((await plugin.client(Bench).echo(five)).data).toEqual(five.data);
  expect(plugin.syncClient(Bench).echo(five).data).toEqual(five.data);
  expect(inner).toEqual([Uint8Array.of(8), Uint8Array.of(8), Uint8Array.of(8)]);
  await plugin.close();
});
