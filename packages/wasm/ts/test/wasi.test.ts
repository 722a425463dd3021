/** Guests that were built for WASI: what they get, and what they do not. */

import { Code } from "@anyplug/core";
import { Bench } from "@anyplug/generated/anyplug/bench/v1/bench_anyplug.js";
import { expect, test } from "@jest/globals";
import { type LoadWasmOptions, loadWasm } from "../src/load.js";
import { at, guest } from "./guest.js";

/** An answer in `size` bytes at 520, which are written before it. */
const answer = (
  size: number,
) => `(i32.store8 (i32.const 518) (i32.const 10)) (i32.store8 (i32.const 519) (i32.const ${size}))
  (i32.store (i32.const ${at.result}) (i32.const 518)) (i32.store (i32.const ${at.resultBytes}) (i32.const ${size + 2})) (i32.const 0)`;

const wasi = (name: string, type: string) => `(import "wasi_snapshot_preview1" "${name}" (func $${name} ${type}))`;

/** What a guest answers that does `call`; 8 bytes. */
async function told(imports: string, call: string, options: LoadWasmOptions = {}): Promise<DataView> {
  await using plugin = await loadWasm(await guest({ extra: imports, call: `${call} ${answer(8)}` }), options);
  const { data } = await plugin.client(Bench).echo({});
  return new DataView(data.buffer, data.byteOffset, data.length);
}

test("clocks and random bytes are there", async () => {
  const clock = wasi("clock_time_get", "(param i32 i64 i32) (result i32)");
  const before = BigInt(Date.now());
  const now = (
    await told(clock, "(drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 520)))")
  ).getBigUint64(0, true);
  // The clock of the day is one of whole milliseconds, and this one is not set with it.
  expect(now / 1_000_000n).toBeGreaterThan(before - 60_000n);
  const refused = await told(
    clock,
    "(i32.store (i32.const 520) (call $clock_time_get (i32.const 9) (i64.const 0) (i32.const 700)))",
  );
  expect(refused.getUint32(0, true)).toBe(28);
  const random = wasi("random_get", "(param i32 i32) (result i32)");
  const one = await told(random, "(drop (call $random_get (i32.const 520) (i32.const 8)))");
  const other = await told(random, "(drop (call $random_get (i32.const 520) (i32.const 8)))");
  expect(one.getBigUint64(0)).not.toBe(other.getBigUint64(0));
});

test("what is printed is a line of the log", async () => {
  const write = wasi("fd_write", "(param i32 i32 i32 i32) (result i32)");
  const text = `(data (i32.const 700) "one\\ntwo") (data (i32.const 720) " and a half\\n") (data (i32.const 740) "${word(700)}${word(7)}${word(720)}${word(12)}")`;
  const lines: string[] = [];
  const call = `(i32.store (i32.const 520) (call $fd_write (i32.const 1) (i32.const 740) (i32.const 2) (i32.const 524)))
    (drop (call $fd_write (i32.const 2) (i32.const 740) (i32.const 1) (i32.const 600)))`;
  const result = await told(write + text, call, {
    onLog: ({ level, logger, message }) => lines.push(`${level} ${logger}: ${message}`),
  });
  expect([result.getUint32(0, true), result.getUint32(4, true)]).toEqual([0, 19]);
  expect(lines).toEqual(["info stdout: one", "info stdout: two and a half", "warn stderr: one"]);
});

test("there are no arguments, no environment, no files", async () => {
  const sizes = wasi("environ_sizes_get", "(param i32 i32) (result i32)");
  const fill = "(i64.store (i32.const 520) (i64.const -1))";
  const none = await told(sizes, `${fill} (drop (call $environ_sizes_get (i32.const 520) (i32.const 524)))`);
  expect(none.getBigUint64(0)).toBe(0n);
  const prestat = wasi("fd_prestat_get", "(param i32 i32) (result i32)");
  const folders = await told(
    prestat,
    "(i32.store (i32.const 520) (call $fd_prestat_get (i32.const 3) (i32.const 700)))",
  );
  expect(folders.getUint32(0, true)).toBe(8);
  const open = wasi("path_open", "(param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)");
  await expect(loadWasm(await guest({ extra: open }))).rejects.toMatchObject({
    code: Code.FailedPrecondition,
    message: expect.stringMatching(/does not have what it imports: wasi_snapshot_preview1.path_open/),
  });
});

test("one that exits has ended, and the next call has another", async () => {
  const extra = wasi("proc_exit", "(param i32)");
  const call = `(if (i32.eq (local.get $n) (i32.const 7)) (then (call $proc_exit (i32.const 3)))) ${answer(1)}`;
  await using plugin = await loadWasm(await guest({ extra, call }));
  await expect(plugin.client(Bench).echo({ data: new Uint8Array(5) })).rejects.toMatchObject({
    code: Code.Internal,
    message: 'plugin "guest" exited with status 3',
  });
  expect((await plugin.client(Bench).echo({})).data).toHaveLength(1);
});

test("what it wants to be called first is called first", async () => {
  const extra = `${wasi("sched_yield", "(result i32)")}
    (func (export "_initialize") (i32.store8 (i32.const 520) (i32.const 42)))`;
  await using plugin = await loadWasm(await guest({ extra, call: answer(1) }));
  expect((await plugin.client(Bench).echo({})).data).toEqual(Uint8Array.of(42));
});

test("ranges out of its memory end it", async () => {
  const write = wasi("fd_write", "(param i32 i32 i32 i32) (result i32)");
  for (const call of [
    "(drop (call $fd_write (i32.const 1) (i32.const -8) (i32.const 1) (i32.const 600)))",
    "(i64.store (i32.const 700) (i64.const -1)) (drop (call $fd_write (i32.const 1) (i32.const 700) (i32.const 1) (i32.const 600)))",
    "(drop (call $fd_write (i32.const 1) (i32.const 700) (i32.const 0) (i32.const -2)))",
  ]) {
    await expect(told(write, call)).rejects.toMatchObject({
      code: Code.Internal,
      message: /broke the embedded ABI: fd_write/,
    });
  }
});

function word(value: number): string {
  return [value & 0xff, value >>> 8, 0, 0].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
}
