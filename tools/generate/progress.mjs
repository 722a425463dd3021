import { spawnSync } from "node:child_process";
import { delimiter } from "node:path";
import process from "node:process";

/** Runs a part of the work and prints what it is and how long it took. */
export function step(what, work) {
  const start = performance.now();
  work();
  console.log(`${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

/** The tools of node_modules and of the virtual environment; betterproto2's generator runs ruff by its name. */
const path = ["node_modules/.bin", ".venv/bin", process.env.PATH].join(delimiter);

/** Runs a program. Shows what it printed, and ends this process, when it fails. */
export function run(program, args) {
  const result = spawnSync(program, args, { encoding: "utf8", env: { ...process.env, PATH: path } });
  if (result.status === 0) return;
  process.stderr.write(`${result.stdout ?? ""}${result.stderr ?? ""}`);
  const reason = result.error?.message ?? `it ended with ${result.signal ?? `status ${result.status}`}`;
  throw new Error(`${program} ${args.join(" ")}: ${reason}. Are the tools there? npm start sets them up.`);
}
