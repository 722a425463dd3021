/** What other ways to call native code are measured with: extensions by napi-rs, PyO3 and cffi, which nobody builds but the benchmark. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { keyOf } from "../../bootstrap/setup/memory.mjs";
import { cacheFolder, root } from "../../bootstrap/setup/paths.mjs";
import { CommandError } from "../../bootstrap/setup/run-command.mjs";

const STEP = "Benchmark extensions";
const here = import.meta.dirname;
const folder = join(cacheFolder, "bench", "natives");
const recipe = join(root, "tools", "bench", "python", "anyplug_bench", "_cffi_library.py");
const [prefix, suffix] = { darwin: ["lib", "dylib"], win32: ["", "dll"] }[process.platform] ?? ["lib", "so"];

/** Where the addon of napi-rs is. */
export const napiAddon = join(folder, "bench_napi.node");
/** What was said while they were built. */
export const extensionLog = join(cacheFolder, "logs", "benchmark-extensions.log");

/**
 * Returns the step of set-up that builds them; `python` has the other peers. Where one cannot be built the step goes on without it: the contender fails, and says where to look.
 *
 * @param {string} python the interpreter that has cffi
 */
export function extensionStep(python, memory) {
  const key = () => keyOf(root, ...[...sources(here), recipe].map((file) => readFileSync(file)));
  return {
    name: STEP,
    why: "napi-rs, PyO3 and cffi",
    isCurrent: () => memory.isCurrent(STEP, key()),
    run: async ({ command }) => {
      mkdirSync(folder, { recursive: true });
      const built = [await attempt(() => byCargo(command)), await attempt(() => byCffi(command, python))];
      if (built.every(Boolean)) memory.remember(STEP, key(), built.flat());
    },
  };
}

async function byCargo(command) {
  const target = join(folder, "target");
  const manifest = join(here, "Cargo.toml");
  await command("cargo", ["build", "--release", "--locked", "--manifest-path", manifest], { CARGO_TARGET_DIR: target });
  const installed = { bench_napi: napiAddon, anyplug_bench_pyo3: join(folder, "anyplug_bench_pyo3.abi3.so") };
  for (const [name, file] of Object.entries(installed)) {
    copyFileSync(join(target, "release", `${prefix}${name}.${suffix}`), file);
  }
  return Object.values(installed);
}

async function byCffi(command, python) {
  await command(python, [recipe, join(here, "echo.h"), folder]);
  return readdirSync(folder)
    .filter((name) => name.startsWith("anyplug_bench_cffi."))
    .map((name) => join(folder, name));
}

/** Returns undefined when a command failed. */
async function attempt(build) {
  try {
    return await build();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    console.error(`  ${STEP}: ${error.message}`);
    return undefined;
  }
}

/** The files that are compiled. */
function sources(from) {
  return readdirSync(from, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}
