import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { checkPrerequisites, explainMissing, thisMachine } from "../bootstrap/prerequisites.mjs";
import { runSteps, SetUpError, setUpSteps } from "../bootstrap/setup/setup.mjs";
import { readArguments, UsageError, usage } from "./arguments.mjs";
import { cellsOf, readLists } from "./cells.mjs";
import { inWords, judge, tally } from "./results.mjs";
import { readReported, runSuite } from "./suites.mjs";
import { formatEnd, formatHost } from "./table.mjs";

const lookMs = 500;

/** `npm run matrix`, once Node is known to be new enough. */
export async function main(args) {
  const lists = readLists();
  try {
    const options = readArguments(args, lists);
    if (options.help) console.log(usage(lists));
    else process.exitCode = await matrix(options, lists);
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof SetUpError)) throw error;
    console.error(error instanceof UsageError ? `${error.message}\n\n${usage(lists)}` : error.message);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

async function matrix(options, lists) {
  if (options.build) await setUp();
  const cells = cellsOf(options, lists);
  const folder = mkdtempSync(join(tmpdir(), "anyplug-matrix-results-"));
  try {
    const suites = await Promise.all(options.hosts.map((host) => suite(host, cells, lists.behaviours, folder)));
    const results = suites.flatMap(({ results }) => results);
    if (options.json) console.log(JSON.stringify(results, null, 1));
    else print(options.hosts, results);
    return suites.every(({ ok }) => ok) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function setUp() {
  const { missing, python } = checkPrerequisites(thisMachine());
  if (missing.length > 0) throw new SetUpError(explainMissing(missing));
  await runSteps(setUpSteps({ python, withBuilds: true }));
}

/** Runs the suite of one host and says, while it runs, which cells are done. */
async function suite(host, cells, behaviours, folder) {
  const file = join(folder, `${host}.jsonl`);
  const own = cells.filter((cell) => cell.host === host);
  const real = own.filter(({ why }) => why === undefined);
  const done = new Set();
  const look = () => {
    const results = judge(own, behaviours, readReported(host, file));
    for (const { plugin, transport } of real) {
      const name = `${plugin} over ${transport}`;
      const counts = tally(results.filter((one) => one.plugin === plugin && one.transport === transport));
      if (done.has(name) || counts["not run"] > 0) continue;
      done.add(name);
      console.error(`host ${host}: ${name}: ${inWords(counts)}`);
    }
    return results;
  };
  const timer = setInterval(look, lookMs);
  const { status, output } =
    real.length === 0 ? { status: 0, output: "" } : await runSuite(host, { file, cells: real });
  clearInterval(timer);
  const results = look();
  const { failed, "not run": notRun } = tally(results);
  const ok = status === 0 && failed === 0 && notRun === 0;
  // Indented, so that nobody takes its totals for ours.
  if (!ok)
    console.error(`\nThe suite of the host in ${host} ended with status ${status}:\n${output.replace(/^/gm, "  ")}`);
  return { ok, results };
}

function print(hosts, results) {
  for (const host of hosts)
    console.log(
      `${formatHost(
        host,
        results.filter((one) => one.host === host),
      )}\n`,
    );
  console.log(formatEnd(results));
  const { passed, failed, "not run": notRun } = tally(results);
  // As jest writes it, for who adds up several runs.
  console.log(`Tests: ${failed + notRun} failed, ${passed} passed, ${passed + failed + notRun} total`);
}
