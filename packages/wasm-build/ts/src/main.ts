#!/usr/bin/env node
/** `anyplug-wasm src/plugin.ts -o plugin.wasm`. */

import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { buildPlugin } from "./build.js";
import { BuildError } from "./error.js";

const usage =
  "usage: anyplug-wasm src/plugin.ts -o plugin.wasm\n\nMakes one WebAssembly module of a plugin: of the module that exports `plugin`, and of all that it imports.\n";

try {
  const { entry, output, isHelp } = options();
  if (isHelp) {
    process.stdout.write(usage);
  } else {
    const { wasm, name, version } = await buildPlugin({ entry });
    await install(output, wasm);
    process.stdout.write(`${output}: ${name} ${version}, ${Math.round(wasm.length / 1000)} kB\n`);
  }
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  process.stderr.write(`anyplug-wasm: ${error.message}\n`);
  process.exitCode = 1;
}

function options(): { entry: string; output: string; isHelp: boolean } {
  try {
    const { values, positionals } = parseArgs({
      options: { output: { type: "string", short: "o" }, help: { type: "boolean", short: "h" } },
      allowPositionals: true,
    });
    const [entry] = positionals;
    if (values.help === true) return { entry: "", output: "", isHelp: true };
    if (entry === undefined || positionals.length > 1)
      throw new Error("name one module, the one that exports `plugin`");
    return { entry, output: values.output ?? `${entry.replace(/\.[cm]?[jt]s$/, "")}.wasm`, isHelp: false };
  } catch (error) {
    throw new BuildError(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  }
}

/** Writes a file so that nobody sees half of it. */
async function install(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const fresh = `${path}.${process.pid}`;
  await writeFile(fresh, bytes);
  await rename(fresh, path);
}
