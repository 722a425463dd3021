/** Runs the suite for one client, one server and one transport. */
import { execFile } from "node:child_process";
import { environment, languages, programs } from "./programs.mjs";

const timeoutMs = 300_000;
/**
 * Tests whose answers have the requests in them, 200 KiB and more: to compare them takes the runner seconds, so each language has them once as a client and once as a server,
 * over TCP.
 */
const large = ["**/request-equal-to-server-limit", "**/all-requests-equal-to-server-limit"];
const hasLarge = ({ transport, client, server }) =>
  transport === "tcp" && languages.indexOf(server) === (languages.indexOf(client) + 1) % languages.length;

/** Tests that measure time: on a busy machine one of them may fail for that. They have so many tries. */
const timed = /^(Client Cancellation|Deadline Propagation|Timeouts)\//;
const tries = 5;

/**
 * @param {{ runner: string, configuration: string, templates: string[], known: string[] }} suite
 * @param {{ transport: string, client: string, server: string }} cell
 * @returns {Promise<{ passed: number, known: number, failures: string[] }>} how many tests passed, how many failed as is known, and what failed besides
 * @throws Error when the suite did not come to its end
 */
export async function runCell(suite, cell) {
  let run = await runTests(suite, cell, []);
  for (let again = 1; again < tries && run.isLate; again++) run = await runTests(suite, cell, []);
  const { total, known } = run;
  let { failures } = run;
  for (let again = 1; again < tries; again++) {
    const late = [...failures.keys()].filter((name) => timed.test(name));
    if (late.length === 0) break;
    const repeated = await runTests(suite, cell, late);
    for (const name of late) failures.delete(name);
    for (const [name, why] of repeated.failures) failures.set(name, why);
  }
  failures = [...failures].map(([name, why]) => `${name}: ${why}`);
  return { passed: total - known - failures.length, known, failures };
}

async function runTests(suite, cell, only) {
  const { transport, client, server } = cell;
  const output = await start(suite.runner, [
    ...["--mode", "both", "--conf", suite.configuration],
    ...suite.templates.flatMap((path) => ["--test-file", path]),
    ...suite.known.flatMap((pattern) => ["--known-failing", pattern]),
    ...only.flatMap((name) => ["--run", name]),
    ...(hasLarge(cell) ? [] : large.flatMap((pattern) => ["--skip", pattern])),
    ...["--", ...programs[client]("client"), transport],
    ...["----", ...programs[server]("server"), transport],
  ]);
  const result = read(output);
  if (result === undefined) throw new Error(`what the runner said was not understood:\n${output}`);
  return result;
}

/** Reads the runner's report: what failed, each with why on the lines behind it, and then the sums. */
function read(output) {
  const failures = new Map();
  let known = 0;
  let failing;
  for (const line of output.split("\n")) {
    const [, name, unexpected = ""] = /^FAILED: (.+?)(?::| (was expected to fail but did not))$/.exec(line) ?? [];
    const isKnown = /^INFO: .+ failed \(as expected\):$/.test(line);
    if (isKnown) known += 1;
    if (isKnown || name !== undefined) failing = name;
    if (name !== undefined) failures.set(name, unexpected);
    else if (line.startsWith("\t") && failing !== undefined)
      failures.set(failing, `${failures.get(failing)} ${line.trim()}`);
  }
  const total = Number(/^Total cases: (\d+)$/m.exec(output)?.[1]);
  const failed = Number(/^\d+ passed, (\d+) failed$/m.exec(output)?.[1]);
  // The runner gives a program 10 s to start, and a client 20 s to say anything.
  const isLate = output.includes("timed out waiting for result from");
  const isWhole = isLate || !output.includes("could not be run");
  return failed === failures.size && isWhole ? { total, known, failures, isLate } : undefined;
}

/** Returns what the runner said, whatever came of the tests. */
function start(runner, args) {
  return new Promise((resolve, reject) => {
    const options = { env: environment, timeout: timeoutMs, killSignal: "SIGKILL", maxBuffer: 64 << 20 };
    execFile(runner, args, options, (error, stdout, stderr) => {
      if (/^Total cases: /m.test(stdout)) resolve(stdout);
      else reject(new Error(`the runner came to no result: ${error?.message}\n${stdout}\n${stderr}`));
    });
  });
}
