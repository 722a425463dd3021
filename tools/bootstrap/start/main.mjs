import process from "node:process";
import { checkPrerequisites, explainMissing, thisMachine } from "../prerequisites.mjs";
import { createProgress } from "../setup/progress.mjs";
import { runSteps, SetUpError, setUpSteps } from "../setup/setup.mjs";
import { readArguments, USAGE, UsageError } from "./arguments.mjs";
import { converse, pipeConversation } from "./conversation.mjs";
import { formatExamples, runExamples } from "./examples.mjs";
import { CELLS, failedCell, formatMatrix, runCell } from "./matrix.mjs";

/** `npm start`, once Node is known to be new enough. */
export async function main(args) {
  try {
    process.exitCode = await start(readArguments(args));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    process.exitCode = 2;
  }
}

async function start(options) {
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const problem = await setUp();
  if (problem !== undefined) {
    console.error(`\n${problem}`);
    if (options.json) printJson(CELLS.map((pair) => failedCell(pair, problem)));
    return 1;
  }
  const interactive = Boolean(process.stdin.isTTY && process.stdout.isTTY);
  if (options.host !== undefined) return interactive ? converse(options) : pipeConversation(options);

  const cells = await runMatrix();
  const examples = await loadAll();
  const failed = examples.filter(({ error }) => error !== undefined);
  const ok = failed.length === 0 && cells.every((cell) => cell.ok);
  if (options.json) {
    if (failed.length > 0) console.error(formatExamples(failed));
    printJson(cells);
  } else {
    console.log(`\n${formatExamples(examples)}\n${formatMatrix(cells, process.stdout)}`);
  }
  if (options.json || !interactive) return ok ? 0 : 1;
  const status = await converse(undefined);
  return ok ? status : 1;
}

/** Returns what went wrong, or undefined if everything is ready. */
async function setUp() {
  const { missing, python } = checkPrerequisites(thisMachine());
  if (missing.length > 0) return explainMissing(missing);
  try {
    await runSteps(setUpSteps({ python, withBuilds: true }));
    return undefined;
  } catch (error) {
    if (error instanceof SetUpError) return error.message;
    throw error;
  }
}

/** One cell after the other: two at a time would measure each other. */
async function runMatrix() {
  const report = createProgress().start("Matrix", `${CELLS.length} cells`);
  const cells = [];
  for (const pair of CELLS) {
    report.line(
      `${pair.host} host, ${pair.plugin} plugin${pair.transport === undefined ? "" : ` over ${pair.transport}`}`,
    );
    cells.push(await runCell(pair));
  }
  if (cells.every((cell) => cell.ok)) report.done();
  else report.failed();
  return cells;
}

/** The hosts in examples/ that load every plugin in every language. */
async function loadAll() {
  const report = createProgress().start("Examples", "every plugin in every language");
  const examples = await runExamples();
  if (examples.every(({ error }) => error === undefined)) report.done();
  else report.failed();
  return examples;
}

function printJson(cells) {
  process.stdout.write(`${JSON.stringify(cells, undefined, 1)}\n`);
}
