/**
 * Puts the shared libraries of plugins written in Rust where their plugin.json says they are: `"sharedLibPath": "bin/name"` is the library that cargo made of the crate.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { install, root, rustPlugins } from "./plugin-files.mjs";

const [prefix, extension] = { darwin: ["lib", ".dylib"], win32: ["", ".dll"] }[process.platform] ?? ["lib", ".so"];

for (const { folder, interop } of rustPlugins()) {
  if (!interop.sharedLibPath?.startsWith("bin/")) continue;
  const crate = /^name = "(.*)"$/m.exec(readFileSync(join(folder, "Cargo.toml"), "utf8"))[1];
  const built = `${prefix}${crate.replaceAll("-", "_")}${extension}`;
  const name = `${prefix}${interop.sharedLibPath.slice("bin/".length)}${extension}`;
  install(join(root, "target", "fast", built), join(folder, dirname(interop.sharedLibPath), name));
}
