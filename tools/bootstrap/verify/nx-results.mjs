import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "../setup/paths.mjs";
import { countTests } from "./count.mjs";

const cache = join(root, ".nx", "cache");
const record = join(cache, "run.json");

/** Makes sure that what {@link readResults} finds is of the run that follows. */
export function forgetResults() {
  rmSync(record, { force: true });
}

/**
 * Reads what nx recorded of its last run.
 *
 * @param {string[]} steps the targets that were asked for; one without a record did not run
 * @returns {{ name: string, result: "passed" | "failed" | "not run", cached: boolean, ms: number,
 *   tests: { passed: number, failed: number, skipped: number } | undefined }[]} builds first, in order of their end
 */
export function readResults(steps) {
  const tasks = readTasks();
  const others = tasks.filter((task) => !steps.includes(task.target) && task.target.includes("-"));
  const asked = steps.map((name) => tasks.find((task) => task.target === name) ?? { target: name, status: undefined });
  return [...others, ...asked].map((task) => ({
    name: task.target,
    result: task.status === undefined ? "not run" : task.status === 0 ? "passed" : "failed",
    cached: task.cacheStatus === "local-cache-hit",
    ms: task.status === undefined ? 0 : Date.parse(task.endTime) - Date.parse(task.startTime),
    tests: task.target.startsWith("test-") ? countTests(readOutput(task.hash)) : undefined,
  }));
}

function readTasks() {
  try {
    return JSON.parse(readFileSync(record, "utf8")).tasks;
  } catch {
    return [];
  }
}

function readOutput(hash) {
  try {
    return readFileSync(join(cache, "terminalOutputs", hash), "utf8");
  } catch {
    return "";
  }
}
