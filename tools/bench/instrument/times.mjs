/** The time of each guest, instrumented, relative to the original: the least of many runs in turn. Prints JSON. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { CHECKPOINT_TABLE, checkpointFunction, instrument } from "@anyplug/wasm/instrument";

const limits = { maxMemoryBytes: 256 << 20, maxTables: 16, maxTableElements: 100_000 };
/** Units of work from one checkpoint to the next, as the host has it. */
const slice = 1_000_000;
const rounds = 300;
/** How long a run takes at least. */
const leastMs = 0.5;

const bytes = readFileSync(process.argv[2]);
const original = new WebAssembly.Instance(await WebAssembly.compile(bytes)).exports;
const stoppable = new WebAssembly.Instance(await WebAssembly.compile(await instrument(bytes, limits))).exports;
const deadline = performance.now() + 3_600_000;
const onCheckpoint = () => {
  if (performance.now() > deadline) throw new Error("an hour is over");
  return slice;
};
stoppable[CHECKPOINT_TABLE].set(0, checkpointFunction(onCheckpoint));

const guests = ["fib", "sha256", "json", "regex", "sort", "xorshift", "copy", "protobuf"];
console.log(JSON.stringify(Object.fromEntries(guests.map((guest) => [guest, ratio(guest)]))));

function ratio(guest) {
  let amount = guest === "fib" ? 15 : 1;
  while (Math.min(time(original, guest, amount), time(original, guest, amount)) < leastMs) {
    amount = guest === "fib" ? amount + 1 : amount * 2;
  }
  if (original[guest](amount) !== stoppable[guest](amount)) throw new Error(`${guest} does something else`);
  const least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < rounds; round++) {
    for (const [place, exported] of [original, stoppable].entries()) {
      least[place] = Math.min(least[place], time(exported, guest, amount));
    }
  }
  return least[1] / least[0];
}

function time(exported, guest, amount) {
  const started = performance.now();
  exported[guest](amount);
  return performance.now() - started;
}
