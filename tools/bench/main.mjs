/** `npm run bench`, once Node is known to be new enough. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { checkPrerequisites, explainMissing, thisMachine } from "../bootstrap/prerequisites.mjs";
import { createMemory } from "../bootstrap/setup/memory.mjs";
import { cacheFolder } from "../bootstrap/setup/paths.mjs";
import { createProgress } from "../bootstrap/setup/progress.mjs";
import { runSteps, SetUpError, setUpSteps } from "../bootstrap/setup/setup.mjs";
import { styleFor } from "../bootstrap/setup/style.mjs";
import { readArguments, USAGE, UsageError } from "./arguments.mjs";
import { tableText } from "./format.mjs";
import { judge } from "./judge.mjs";
import { machine, peerVersions } from "./machine.mjs";
import { moduleStep } from "./modules/modules.mjs";
import { extensionStep } from "./natives/natives.mjs";
import { benchPython, peerSteps } from "./peers.mjs";
import { busyness, reportMarkdown } from "./report.mjs";
import { measure } from "./rounds.mjs";
import { groups } from "./tables.mjs";

const PACE = { rounds: 7, ms: 160 };
const QUICK_PACE = { rounds: 2, ms: 40 };

/** Runs the command line; the status is 0 when everything was measured. */
export async function main(args) {
  try {
    process.exitCode = await bench(readArguments(args));
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\n\n${USAGE}`);
      process.exitCode = 2;
      return;
    }
    if (!(error instanceof SetUpError)) throw error;
    console.error(`\n${error.message}`);
    process.exitCode = 1;
  }
}

async function bench(options) {
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const { missing, python } = checkPrerequisites(thisMachine());
  if (missing.length > 0) {
    console.error(explainMissing(missing));
    return 1;
  }
  const memory = createMemory(cacheFolder);
  const ours = [...setUpSteps({ python, withBuilds: true }), moduleStep(memory)];
  await runSteps([...ours, ...peerSteps(python, memory), extensionStep(benchPython, memory)]);

  const pace = options.quick ? QUICK_PACE : PACE;
  const report = { machine: machine(), peers: peerVersions(), pace, tables: [] };
  const busy = busyness(report.machine);
  if (busy) console.error(`  ${busy}`);
  for (const group of groups(options)) report.tables.push(...(await tablesOf(group, pace)));
  write(options.json ?? join(cacheFolder, "bench", "results.json"), `${JSON.stringify(report, undefined, 1)}\n`);
  write(options.markdown ?? join(cacheFolder, "bench", "results.md"), reportMarkdown(report));
  return report.tables.some((table) => table.rows.some((row) => row.error !== undefined)) ? 1 : 0;
}

async function tablesOf(group, pace) {
  const progress = createProgress().start(group.name, "starting");
  const results = await measure(group, pace, (text) => progress.line(text));
  const tables = group.tables.map((table) => judge(table, results));
  if (tables.some((table) => table.rows.some((row) => row.error !== undefined))) progress.failed();
  else progress.done();
  for (const table of tables) console.log(`\n${tableText(table, styleFor(process.stdout))}`);
  console.log();
  return tables;
}

function write(file, text) {
  const path = resolve(file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
