/**
 * Puts the programs of plugins written in Rust where their plugin.json says they are: `"ipcCommand": "bin/name"` is the
 * binary `name` that cargo built.
 */
import { join } from "node:path";
import { install, root, rustPlugins } from "./plugin-files.mjs";

for (const { folder, interop } of rustPlugins()) {
  const [program] = (interop.ipcCommand ?? "").split(" ");
  if (program.startsWith("bin/")) {
    install(join(root, "target", "fast", program.slice("bin/".length)), join(folder, program));
  }
}
