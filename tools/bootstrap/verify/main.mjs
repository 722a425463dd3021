import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { checkPrerequisites, explainMissing, thisMachine } from "../prerequisites.mjs";
import { root } from "../setup/paths.mjs";
import { runSteps, SetUpError, setUpSteps } from "../setup/setup.mjs";
import { readArguments, USAGE } from "./arguments.mjs";
import { forgetResults, readResults } from "./nx-results.mjs";
import { addUp, formatSummary } from "./summary.mjs";

/** nx would ask its tools for colours even when its output goes to a file. */
const PLAIN = { FORCE_COLOR: "0", CARGO_TERM_COLOR: "never" };

/** `npm test`, once Node is known to be new enough. */
export async function main(args) {
  const began = Date.now();
  const known = knownSteps();
  let options;
  try {
    options = readArguments(args, known);
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  if (options.help || options.list) {
    console.log(options.help ? USAGE : known.join("\n"));
    return;
  }
  const problem = await setUp();
  if (problem !== undefined) {
    console.error(`\n${problem}\n`);
    console.log("0 passed, 1 failed");
    process.exitCode = 1;
    return;
  }
  forgetResults();
  const status = await runNx(options);
  const results = readResults(options.steps);
  console.log(`\n${formatSummary(results, Date.now() - began, process.stdout)}`);
  process.exitCode = status === 0 && addUp(results).failed === 0 ? 0 : 1;
}

function knownSteps() {
  const { inferTargets } = createRequire(import.meta.url)("../../nx-polyglot/plugin.cjs");
  return Object.keys(inferTargets(root)).filter((name) => /^(lint|test)-/.test(name));
}

/** Returns what went wrong, or undefined if the tools are ready. What is to be built, nx builds. */
async function setUp() {
  const { missing, python } = checkPrerequisites(thisMachine());
  if (missing.length > 0) return explainMissing(missing);
  try {
    await runSteps(setUpSteps({ python, withBuilds: false }));
    return undefined;
  } catch (error) {
    if (error instanceof SetUpError) return error.message;
    throw error;
  }
}

/** nx prints a line for each step that passes and the whole output of one that fails. */
async function runNx({ steps, fresh }) {
  const nx = join(root, "node_modules", ".bin", "nx");
  const args = ["run-many", `--targets=${steps.join(",")}`, "--nxBail=false", ...(fresh ? ["--skipNxCache"] : [])];
  const env = process.stdout.isTTY ? process.env : { ...process.env, ...PLAIN };
  const child = spawn(nx, args, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] });
  const [status] = await once(child, "close");
  return status ?? 1;
}
