/**
 * Puts the native module that cargo built where the Python package looks for it. maturin would do so too, but sets
 * variables for the build that make cargo compile pyo3 and the module again, each time one builds after the other.
 */
import { copyFileSync, existsSync, readFileSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const built = join(root, "target", "fast", process.platform === "darwin" ? "lib_native.dylib" : "lib_native.so");
const installed = join(root, "packages", "python", "python", "anyplug", "_native.abi3.so");

if (!existsSync(built)) {
  console.error(`${built} is not there: run "cargo build --workspace --profile fast" first`);
  process.exit(1);
}
if (existsSync(installed) && readFileSync(installed).equals(readFileSync(built))) {
  console.log("The native module is current.");
} else {
  // Renamed into place: a Python process that has the old one mapped keeps it, and none sees half a file.
  const fresh = `${installed}.${process.pid}`;
  copyFileSync(built, fresh);
  renameSync(fresh, installed);
  console.log(`Installed ${installed}`);
}
