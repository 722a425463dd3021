/**
 * Builds the WebAssembly modules of plugins written in TypeScript, and puts them where their plugin.json says they are: `"wasmPath": "bin/name.wasm"` is made of `src/plugin.ts`.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";
import { BuildError, buildPlugin } from "../../packages/wasm-build/ts/dist/index.js";
import { installBytes, root } from "./plugin-files.mjs";

for (const name of readdirSync(join(root, "plugins"))) {
  const folder = join(root, "plugins", name, "ts");
  const manifest = join(folder, "plugin.json");
  if (!existsSync(manifest)) continue;
  const { interop = {} } = JSON.parse(readFileSync(manifest, "utf8"));
  if (interop.wasmPath?.startsWith("bin/"))
    await build(join(folder, "src", "plugin.ts"), join(folder, interop.wasmPath));
}

async function build(entry, installed) {
  try {
    const { wasm } = await buildPlugin({ entry });
    installBytes(wasm, installed);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(`${relative(root, entry)}: ${error.message}`);
    process.exitCode = 1;
  }
}
