import { afterEach, beforeAll, expect, test } from "@jest/globals";
import { assembleModules, modulesFolder } from "../../tools/bench/modules/modules.mjs";
import { Worker } from "../../tools/bench/worker.mjs";

/** @type {Worker | undefined} */
let worker;

beforeAll(() => assembleModules(modulesFolder));
afterEach(() => worker?.close());

test.each([
  ["typescript", "plain"],
  ["typescript", "process:rust"],
  ["typescript", "unix:python"],
  ["typescript", "agent:rust"],
  ["typescript", "line"],
  ["rust", "plain"],
  ["rust", "process:ts"],
  ["rust", "raw:block"],
  ["rust", "tcp:rust"],
  ["rust", "agent:python"],
  ["rust", "line"],
])("in %s, %s measures a round and can be asked again", async (language, contender) => {
  worker = new Worker(language, contender);
  await worker.ready();
  for (const run of ["latency", "throughput"]) {
    expect((await worker.ask(run, 1)).value).toBeGreaterThan(0);
  }
});

test.each([
  ["typescript", "wasm:bare"],
  ["typescript", "wasm-sync:rust"],
  ["typescript", "wasm-raw"],
  ["rust", "wasm:bare"],
  ["rust", "wasm-raw"],
])("in %s, %s measures echoes of a module and its starts", async (language, contender) => {
  worker = new Worker(language, contender);
  await worker.ready();
  for (const run of ["echo16", "echo1m", "cold", "warm"]) {
    expect((await worker.ask(run, 1)).value).toBeGreaterThan(0);
  }
});

test.each([
  ["typescript", "ffi-sync:c", ["echo64", "echo64k"]],
  ["typescript", "ffi-raw", ["echo64"]],
  ["typescript", "ffi-stream:rust", ["message64"]],
  ["rust", "ffi:rust", ["echo64", "echo64k"]],
  ["rust", "ffi-raw", ["echo64"]],
  ["rust", "ffi-stream:c", ["message64"]],
  ["rust", "oneshot", ["message64"]],
])("in %s, %s measures %j of a library", async (language, contender, runs) => {
  worker = new Worker(language, contender);
  await worker.ready();
  for (const run of runs) expect((await worker.ask(run, 1)).value).toBeGreaterThan(0);
});

test("a round that is not possible fails, and the next one goes on", async () => {
  worker = new Worker("typescript", "plain");
  await worker.ready();
  await expect(worker.ask("bulk", 1)).rejects.toThrow("it cannot run bulk");
  expect((await worker.ask("latency", 1)).value).toBeGreaterThan(0);
});

test("a contender that does not start says why", async () => {
  worker = new Worker("rust", "nobody");
  await expect(worker.ready()).rejects.toThrow('there is no contender "nobody"');
});
