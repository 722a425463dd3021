import { rmSync } from "node:fs";
import { join } from "node:path";
import { builds } from "./builds.mjs";
import { takeLock } from "./lock.mjs";
import { createMemory } from "./memory.mjs";
import { npmPackages } from "./npm-packages.mjs";
import { cacheFolder, root } from "./paths.mjs";
import { createProgress } from "./progress.mjs";
import { pythonPackages } from "./python-packages.mjs";
import { CommandError, runCommand } from "./run-command.mjs";
import { rustToolchain } from "./rust-toolchain.mjs";

/** A step of set-up that failed. The message says which, why, and where its whole output is. */
export class SetUpError extends Error {
  constructor(message) {
    super(message);
    this.name = "SetUpError";
  }
}

/** Returns the steps of set-up in their order, with or without the builds. */
export function setUpSteps({ python, withBuilds }) {
  const memory = createMemory(cacheFolder);
  const tools = [npmPackages(root), pythonPackages(root, python, memory), rustToolchain(root)];
  return withBuilds ? [...tools, builds(root, memory)] : tools;
}

/**
 * Runs the steps that are not current, one after the other.
 *
 * @throws {SetUpError} at the first that fails
 */
export async function runSteps(steps, progress = createProgress(), folder = cacheFolder) {
  const release = await takeLock(folder, (pid) => progress.note(`Waiting for the set-up of process ${pid}`));
  try {
    for (const step of steps) await runStep(step, progress, join(folder, "logs"));
  } finally {
    release();
  }
}

async function runStep(step, progress, logs) {
  if (step.isCurrent()) {
    progress.current(step.name);
    return;
  }
  const log = join(logs, `${step.name.toLowerCase().replaceAll(" ", "-")}.log`);
  rmSync(log, { force: true });
  const report = progress.start(step.name, step.why);
  try {
    await step.run({ command: (name, args, env = {}) => runCommand(name, args, { log, onLine: report.line, env }) });
    report.done();
  } catch (error) {
    report.failed();
    const tail = error instanceof CommandError ? `${error.tail.join("\n")}\n\n` : "";
    throw new SetUpError(`${tail}${step.name}: ${error.message}. The whole output is in ${log}`);
  }
}
