/** Runs the official suite against one testee and reads what the runner says. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

const timeoutMs = 120_000;

/** @typedef {{ outcome: "passed" | "failed" | "skipped", why: string }} Result */

/**
 * Runs the suite.
 *
 * @param {string[]} runner the words that start the runner
 * @param {{ words: string[], env: Record<string, string> }} testee
 * @returns {Promise<Map<string, Result>>} how each test of proto3, binary or JSON, ended
 * @throws Error when the suite did not come to its end
 */
export async function runSuite(runner, testee) {
  const folder = mkdtempSync(join(tmpdir(), "anyplug-conformance-"));
  try {
    const options = ["--verbose", "--maximum_edition", "PROTO3", "--output_dir", folder];
    const [program, ...args] = [...runner, ...options, ...testee.words];
    // A file: from a pipe of Node's, parts of what the runner writes are missing.
    const log = join(folder, "log");
    const descriptor = openSync(log, "w");
    const child = spawn(program, args, {
      env: { ...process.env, ...testee.env },
      stdio: ["ignore", descriptor, descriptor],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    closeSync(descriptor);
    const [status, signal] = await once(child, "close");
    const output = readFileSync(log, "utf8");
    // Of binary and JSON tests; that of the text format follows when all of them passed.
    if (!/^CONFORMANCE SUITE (PASSED|FAILED): /m.test(output)) {
      const last = output.trim().split("\n").slice(-12).join("\n");
      throw new Error(`the runner ended with ${signal ?? `status ${status}`} and no result:\n${last}`);
    }
    return readOutput(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Reads what the runner said with --verbose: each test as it begins, and those that were skipped or failed (ERROR where the
 * test is required, WARNING where it is recommended).
 *
 * @param {string} output
 * @returns {Map<string, Result>}
 */
export function readOutput(output) {
  const results = new Map();
  for (const line of output.split("\n")) {
    const begun = /^conformance test: name=(.+?), request=/.exec(line)?.[1];
    if (begun !== undefined && !results.has(begun)) results.set(begun, { outcome: "passed", why: "" });
    const [, kind, name, why] = /^(SKIPPED|ERROR|WARNING), test=(\S+?):?(?: (.*))?$/.exec(line) ?? [];
    if (name !== undefined) results.set(name, { outcome: kind === "SKIPPED" ? "skipped" : "failed", why: why ?? "" });
  }
  // Proto2, editions and the text format are not what anyplug speaks.
  for (const name of results.keys())
    if (!name.includes(".Proto3.") || name.includes("TextFormat")) results.delete(name);
  return results;
}
