import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root } from "../bootstrap/setup/paths.mjs";

const jest = ["--experimental-vm-modules", "--disable-warning=ExperimentalWarning", "node_modules/jest/bin/jest.js"];
const cargo = ["test", "--workspace", "--profile", "fast", "--locked", "--lib"];

/** How the suite of each host is started. */
const commands = {
  typescript: () => [process.execPath, ...jest, "./test/matrix/ts/matrix.test.ts"],
  python: () => [join(root, ".venv", "bin", "python"), "-m", "pytest", "-q", "test/matrix"],
  rust: async () => [await rustSuite()],
};

/**
 * Runs the suite of a host.
 *
 * @param {string} host its language
 * @param {{ file: string, cells: { plugin: string, transport: string }[] }} order where results go, a line of JSON each, and what to try
 * @returns {Promise<{ status: number, output: string }>} what it printed; status 1 also when it could not be started
 */
export async function runSuite(host, { file, cells }) {
  const names = cells.map(({ plugin, transport }) => `${plugin}-${transport}`).join(",");
  const env = { ...process.env, ANYPLUG_MATRIX_RESULTS: file, ANYPLUG_MATRIX_CELLS: names };
  try {
    const { status, stdout, stderr } = await run(await commands[host](), env);
    return { status, output: stdout + stderr };
  } catch (error) {
    return { status: 1, output: error.message };
  }
}

/** The program of tests that cargo made of test/matrix/rust. It is made with the whole workspace, so that dependencies keep their features. */
async function rustSuite() {
  const { status, stdout, stderr } = await run(
    ["cargo", ...cargo, "--no-run", "--message-format", "json"],
    process.env,
  );
  if (status !== 0) throw new Error(`cargo ended with status ${status}:\n${stderr}`);
  const artifacts = stdout.split("\n").filter((line) => line.startsWith('{"reason":"compiler-artifact"'));
  const programs = artifacts.map((line) => JSON.parse(line)).filter(({ executable }) => executable);
  const suite = programs.find(({ target }) => target.name.replaceAll("-", "_") === "anyplug_matrix");
  if (suite !== undefined) return suite.executable;
  throw new Error("cargo made no program of test/matrix/rust");
}

async function run([program, ...args], env) {
  const child = spawn(program, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) {
    child[name].setEncoding("utf8").on("data", (chunk) => {
      output[name] += chunk;
    });
  }
  const [status, signal] = await once(child, "close");
  if (signal !== null) output.stderr += `\n${program} was ended by ${signal}\n`;
  return { status: status ?? 1, ...output };
}

/** Reads what a suite has reported so far. The last line may be half written. */
export function readReported(host, file) {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => ({ host, ...JSON.parse(line) }));
}
