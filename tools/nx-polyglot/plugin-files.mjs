/** The plugins written in Rust, and what is built and put where it is used. A plugin's paths stay in its folder, and cargo's target folder lies outside of it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Returns the folder of each, and what its plugin.json says of how it is reached. */
export function rustPlugins() {
  const parents = ["plugins", "examples"].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => join(root, parent, name, "rust")),
  );
  const folders = parents.filter((folder) => existsSync(join(folder, "plugin.json")));
  return folders.map((folder) => {
    const { interop = {} } = JSON.parse(readFileSync(join(folder, "plugin.json"), "utf8"));
    return { folder, interop };
  });
}

/** Copies a file that cargo built, unless it is there already. */
export function install(built, installed) {
  if (!existsSync(built)) {
    console.error(`${built} is not there: run "cargo build --workspace --profile fast" first`);
    process.exit(1);
  }
  installBytes(readFileSync(built), installed, statSync(built).mode);
}

/** Writes what was built, unless it is there already. */
export function installBytes(bytes, installed, mode = 0o644) {
  if (existsSync(installed) && readFileSync(installed).equals(bytes)) return;
  // Renamed into place: a process that runs the old one keeps it, and none sees half a file.
  const fresh = `${installed}.${process.pid}`;
  mkdirSync(dirname(installed), { recursive: true });
  writeFileSync(fresh, bytes, { mode });
  renameSync(fresh, installed);
  console.log(`Installed ${relative(root, installed)}`);
}
