/** How long it takes in this process to instrument a module: the least of several times. Prints JSON. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { instrument } from "@anyplug/wasm/instrument";

const limits = { maxMemoryBytes: 256 << 20, maxTables: 16, maxTableElements: 100_000 };
const module = readFileSync(process.argv[2]);
let ms = Number.POSITIVE_INFINITY;
for (let round = 0; round < 20; round++) {
  const started = performance.now();
  await instrument(module, limits);
  ms = Math.min(ms, performance.now() - started);
}
console.log(JSON.stringify({ ms }));
