/**
 * Builds the WebAssembly modules of plugins written in Rust, and puts them where their plugin.json says they are: `"wasmPath": "bin/name.wasm"` is the library that cargo makes of the crate.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { install, root, rustPlugins } from "./plugin-files.mjs";

const target = "wasm32-unknown-unknown";
const plugins = rustPlugins().filter(({ interop }) => interop.wasmPath?.startsWith("bin/"));
const crates = plugins.map(
  ({ folder }) => /^name = "(.*)"$/m.exec(readFileSync(join(folder, "Cargo.toml"), "utf8"))[1],
);
const packages = crates.flatMap((name) => ["-p", name]);
const args = ["build", "--target", target, "--profile", "wasm", "--locked", "--lib", ...packages];
const { status } = spawnSync("cargo", args, { cwd: root, stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);
for (const [index, { folder, interop }] of plugins.entries()) {
  const built = `${crates[index].replaceAll("-", "_")}.wasm`;
  install(join(root, "target", target, "wasm", built), join(folder, interop.wasmPath));
}
