import { spawn } from "node:child_process";
import { once } from "node:events";
import { root } from "../setup/paths.mjs";

const LIMIT_MS = 300_000;

/**
 * Runs a host program to its end.
 *
 * @param {string} program
 * @param {string[]} args
 * @returns {Promise<{ stdout: string, stderr: string, problem: string | undefined }>} what it printed, and how it failed
 */
export async function run(program, args) {
  const output = { stdout: "", stderr: "", problem: undefined };
  let timer;
  try {
    const child = spawn(program, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    timer = setTimeout(() => {
      output.problem = `the host program took longer than ${LIMIT_MS / 1000} s`;
      child.kill("SIGKILL");
    }, LIMIT_MS);
    for (const name of ["stdout", "stderr"]) {
      child[name].setEncoding("utf8").on("data", (chunk) => {
        output[name] += chunk;
      });
    }
    const [status, signal] = await once(child, "close");
    if (status !== 0) output.problem ??= `the host program ended with ${signal ?? `status ${status}`}`;
  } catch (error) {
    output.problem = `the host program could not be started: ${error.message}`;
  } finally {
    clearTimeout(timer);
  }
  return output;
}
