/** How long a module takes to start, and what a thousand of them take. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { percentiles } from "./clock.mjs";

/** The bytes of each echo. */
export const SIZES = { echo16: 16, echo1k: 1 << 10, echo64k: 64 << 10, echo1m: 1 << 20 };

const INSTANCES = 1_000;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc");

/**
 * @param {() => Promise<() => unknown>} cold starts a module that is new to everything and has it answer; returns what ends it
 * @param {() => Promise<() => unknown>} warm the same with a module that was loaded before
 * @returns {Record<string, (ms: number) => Promise<{ value: number }>>}
 */
export function starts(cold, warm) {
  return {
    cold: (ms) => times(ms, cold),
    warm: (ms) => times(ms, warm),
    instances: async () => {
      const { took } = await many(warm);
      return { value: took };
    },
    "instance-memory": async () => {
      const { bytes } = await many(warm);
      return { value: bytes / 1000 / INSTANCES };
    },
  };
}

/** Milliseconds of a start: the median of as many as there is time for. */
async function times(ms, make) {
  const samples = [];
  const end = performance.now() + ms;
  do {
    const start = performance.now();
    const close = await make();
    samples.push(performance.now() - start);
    await close();
  } while (performance.now() < end);
  return percentiles(samples);
}

/** What the process took before the first of them: what those of a round leave behind is taken up by the next. */
let before;

async function many(make) {
  before ??= residentBytes();
  const start = performance.now();
  const closes = [];
  for (let made = 0; made < INSTANCES; made++) closes.push(await make());
  const took = performance.now() - start;
  const bytes = residentBytes() - before;
  for (const close of closes) await close();
  return { took, bytes };
}

function residentBytes() {
  collectGarbage();
  if (process.platform !== "linux") return process.memoryUsage.rss();
  const [, kilobytes] = /^Rss:\s+(\d+)/m.exec(readFileSync("/proc/self/smaps_rollup", "utf8"));
  return Number(kilobytes) * 1024;
}

/** Has `use` start a file with the same module, and other bytes than any before: a custom section says something random. */
export async function freshFile(bytes, use) {
  const folder = mkdtempSync(join(tmpdir(), "anyplug-bench-"));
  const file = join(folder, "module.wasm");
  writeFileSync(file, freshModule(bytes));
  try {
    return await use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The same module in other bytes than any before. */
export function freshModule(bytes) {
  return Buffer.concat([bytes, Buffer.from([0, 21, 4]), Buffer.from("salt"), randomBytes(16)]);
}
