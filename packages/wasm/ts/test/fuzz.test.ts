/** Guests that do whatever comes at the boundary: nothing gets through but errors of the plugin. */

import { AnyplugError } from "@anyplug/core";
import { Bench } from "@anyplug/generated/anyplug/bench/v1/bench_anyplug.js";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { loadWasm } from "../src/load.js";
import { at, guest } from "./guest.js";

// What is generated is the same in each run, unless it is given another seed.
fc.configureGlobal({ seed: Number(process.env["ANYPLUG_SEED"] ?? 1) });

/** Bytes of a step of a script: what is done, and with what. */
const stepBytes = 12;
/** A message that begins with the tag and the length of its data, of which one byte is enough. */
const prefixBytes = 2;

/** A guest that does what the data of a call, or of a frame, says: steps of three words. */
const obedient = {
  extra: `(import "anyplug" "random" (func $random (param i32 i32)))
    (import "anyplug" "log" (func $log (param i32 i32 i32)))
    (func $obey (param $at i32) (param $end i32) (result i32) (local $a i32) (local $b i32) (local $what i32)
      (loop $next
        (if (i32.gt_u (i32.add (local.get $at) (i32.const ${stepBytes})) (local.get $end)) (then (return (i32.const 0))))
        (local.set $what (i32.and (i32.load (local.get $at)) (i32.const 7)))
        (local.set $a (i32.load offset=4 (local.get $at)))
        (local.set $b (i32.load offset=8 (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const ${stepBytes})))
        (if (i32.eq (local.get $what) (i32.const 0)) (then (i32.store (local.get $a) (local.get $b))))
        (if (i32.eq (local.get $what) (i32.const 1)) (then (call $send (local.get $a) (local.get $b))))
        (if (i32.eq (local.get $what) (i32.const 2)) (then (call $random (local.get $a) (local.get $b))))
        (if (i32.eq (local.get $what) (i32.const 3)) (then (call $log (i32.const 3) (local.get $a) (local.get $b))))
        (if (i32.eq (local.get $what) (i32.const 4)) (then (drop (memory.grow (i32.and (local.get $a) (i32.const 15))))))
        (if (i32.eq (local.get $what) (i32.const 5)) (then (return (local.get $a))))
        (if (i32.eq (local.get $what) (i32.const 6)) (then
          (i32.store (i32.const ${at.result}) (local.get $a)) (i32.store (i32.const ${at.resultBytes}) (local.get $b))))
        (br $next))
      unreachable)`,
  call: `(call $obey (i32.add (local.get $p) (i32.const ${prefixBytes})) (i32.add (local.get $p) (local.get $n)))`,
  recv: `(if (i32.gt_u (local.get $n) (i32.const 14)) (then
    (drop (call $obey (i32.add (local.get $p) (i32.const 14)) (i32.add (local.get $p) (local.get $n))))))`,
};

/** Places that matter, and any others. */
const place = fc.oneof(
  fc.constantFrom(
    0,
    1,
    2,
    3,
    at.exchange,
    at.result,
    at.resultBytes,
    at.wake,
    at.frame,
    at.hello,
    at.scratch,
    4 * 65_536 - 1,
    4 * 65_536,
  ),
  fc.constantFrom(0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 12, 24, 100, 65_536),
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.integer({ min: 0, max: 5 * 65_536 }),
  // A header of a frame in one word: kind and flags.
  fc.tuple(fc.nat(11), fc.nat(3)).map(([kind, flags]) => kind | (flags << 8)),
);
const step = fc.tuple(fc.nat(7), place, place).map(([what, a, b]) => {
  const bytes = new Uint8Array(stepBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, what, true);
  view.setUint32(4, a, true);
  view.setUint32(8, b, true);
  return [...bytes];
});
const script = fc.array(step, { minLength: 1, maxLength: 8 }).map((steps) => Uint8Array.from(steps.flat()));

test("whatever a guest does in a call, the call ends, and the next one works", async () => {
  const bystander = await loadWasm(await guest());
  const plugin = await loadWasm(await guest(obedient), {
    wasm: { maxMemoryBytes: 4_000_000 },
    limits: { maxMessageBytes: 100_000 },
  });
  const data = Uint8Array.of(1, 2, 3);
  // One step that says: done, with what it was given as the result.
  const answer = Uint8Array.of(6, 0, 0, 0, ...word(at.empty), ...word(2));
  await fc.assert(
    fc.asyncProperty(script, fc.boolean(), async (evil, byFrames) => {
      const bench = plugin.client(Bench);
      const giveUp = new AbortController();
      const call = byFrames
        ? drain(bench.count({ count: 1, _unknownFields: [evil] }, { signal: giveUp.signal }))
        : bench.echo({ data: evil }, { signal: giveUp.signal });
      const ended = failureOf(call);
      await new Promise((resolve) => setImmediate(resolve));
      // It may be that the guest says nothing.
      giveUp.abort();
      expectOurs(await ended);
      expect((await bystander.client(Bench).echo({ data })).data).toEqual(data);
      // What it wrote to its own memory is its own concern: a fresh instance answers.
      expectOurs(await failureOf(plugin.client(Bench).echo({ data: answer })));
    }),
    { numRuns: 400 },
  );
  await plugin.close();
  await bystander.close();
});

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (error: unknown) => error,
  );
}

function expectOurs(failure: unknown): void {
  if (failure !== undefined) expect(failure).toBeInstanceOf(AnyplugError);
}

async function drain(messages: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of messages);
}

function word(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}

/** Modules that are cut, or changed in a byte, are refused or run within their limits. */
test("whatever becomes of the bytes of a module, it is refused or held to its limits", async () => {
  const whole = await guest();
  const change = fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255), cut: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(change, async ({ at: place, byte, cut }) => {
      const module = cut
        ? whole.slice(0, place)
        : Uint8Array.from(whole, (old, index) => (index === place ? byte : old));
      const options = { startTimeoutMs: 30_000, wasm: { callTimeoutMs: 100, maxMemoryBytes: 4_000_000 } };
      const plugin = await loadWasm(module, { ...options, signal: AbortSignal.timeout(2000) }).catch(
        (error: unknown) => {
          expect(error).toBeInstanceOf(AnyplugError);
          return undefined;
        },
      );
      await plugin
        ?.client(Bench)
        .echo({}, { timeoutMs: 200 })
        .catch((error: unknown) => expect(error).toBeInstanceOf(AnyplugError));
      await plugin?.close();
    }),
    { numRuns: 300 },
  );
});
