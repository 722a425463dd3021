/** Programs that are run, and whether they are there. */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Returns whether a program ended well; what it says is seen as it comes. */
export function succeeds(program, args, { cwd = root, env = {} } = {}) {
  console.log(`$ ${[program, ...args].join(" ")}`);
  return spawnSync(program, args, { cwd, env: { ...process.env, ...env }, stdio: "inherit" }).status === 0;
}

/** Returns what a program printed; undefined when it failed. What else it says is seen as it comes. */
export function output(program, args, { cwd = root, env = {} } = {}) {
  console.log(`$ ${[program, ...args].join(" ")}`);
  const stdio = ["ignore", "pipe", "inherit"];
  const ran = spawnSync(program, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: "utf8",
    stdio,
    maxBuffer: 1 << 28,
  });
  return ran.status === 0 ? ran.stdout : undefined;
}

/** Returns whether a program is there, and does this quietly. */
export function isThere(program, ...args) {
  return spawnSync(program, args, { cwd: root, stdio: "ignore" }).status === 0;
}
