/**
 * Puts the programs of plugins written in Rust where their plugin.json says they are: `"ipcCommand": "bin/name"` is the
 * binary `name` that cargo built. A plugin's paths stay in its folder, and cargo's target folder lies outside of it.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

for (const name of [...pluginFolders("plugins"), ...pluginFolders("examples")]) {
  const folder = join(root, name, "rust");
  const manifest = join(folder, "plugin.json");
  if (!existsSync(manifest)) continue;
  const [program] = (JSON.parse(readFileSync(manifest, "utf8")).interop?.ipcCommand ?? "").split(" ");
  if (program.startsWith("bin/")) install(program.slice("bin/".length), join(folder, program));
}

function install(binary, installed) {
  const built = join(root, "target", "fast", binary);
  if (!existsSync(built)) {
    console.error(`${built} is not there: run "cargo build --workspace --profile fast" first`);
    process.exit(1);
  }
  if (existsSync(installed) && readFileSync(installed).equals(readFileSync(built))) return;
  // Renamed into place: a process that runs the old one keeps it, and none sees half a file.
  const fresh = `${installed}.${process.pid}`;
  mkdirSync(dirname(installed), { recursive: true });
  copyFileSync(built, fresh);
  renameSync(fresh, installed);
  console.log(`Installed ${relative(root, installed)}`);
}

function pluginFolders(parent) {
  return readdirSync(join(root, parent)).map((name) => join(parent, name));
}
