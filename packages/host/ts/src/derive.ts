/** Makes up the manifest of a plugin that has none. */

import { basename, dirname, extname } from "node:path";
import type { Hello } from "@anyplug/core";
import { Manifest } from "@anyplug/protocol/anyplug/plugin/v1/manifest.js";
import { quoteWord } from "./command.js";
import type { LocatedPlugin } from "./locate.js";

const nodeModules = [".js", ".mjs", ".cjs"];

/** Imports the module that follows, and serves what it exports. Node finds the SDK from the plugin's folder. */
const runModule = `import { run } from "@anyplug/sdk/run"; await run(process.argv[1]);`;

/** Whether Node imports such a file. */
export function isNodeModule(file: string): boolean {
  return nodeModules.includes(extname(file));
}

/** Returns the plugin that a module for Node exports. `name`: by default that of the file. */
export function derivedModule(file: string, name = basename(file, extname(file))): LocatedPlugin {
  const module = `./${basename(file)}`;
  const command = `node --input-type=module --eval ${quoteWord(runModule)} ${quoteWord(module)}`;
  return derived(file, "typescript", command, module, name);
}

/** Returns the plugin that a WebAssembly module is. What it says of itself is known when it is loaded. */
export function derivedWasm(file: string): LocatedPlugin {
  const wasmPath = basename(file);
  const name = pluginName(basename(file, extname(file)));
  const manifest = Manifest.fromPartial({ name, interop: { protocol: "wasm", wasmPath }, transports: ["wasm"] });
  return { manifest, file, folder: dirname(file), isDerived: true };
}

/** Returns the plugin that a shared library is. What it says of itself is known when it is loaded. */
export function derivedLibrary(file: string): LocatedPlugin {
  const sharedLibPath = basename(file);
  const [stem = ""] = sharedLibPath.replace(/^lib/, "").split(".");
  const interop = { protocol: "ffi", sharedLibPath };
  const manifest = Manifest.fromPartial({ name: pluginName(stem), interop, transports: ["ffi"] });
  return { manifest, file, folder: dirname(file), isDerived: true };
}

/** What plugin.json would say, as far as a plugin says it itself. */
export function derivedFrom(manifest: Manifest, { name, version, runtime, services }: Hello): Manifest {
  const [language = ""] = runtime.split(" ");
  const known = ["typescript", "python", "rust"].includes(language) ? language : "";
  const offers = services.map((service) => service.name).filter((one) => !one.startsWith("anyplug.reflection."));
  return Manifest.fromPartial({ ...manifest, name, version, language: known, offers });
}

/** A name as plugin.json has it, for a file or module of this name. */
export function pluginName(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return /^[a-z]/.test(plain) ? plain : `plugin-${plain}`.replace(/-$/, "");
}

/** What starts a process is preferred: a module of which nothing is known may be the plugin's program, and end the one that imports it. */
export function derived(
  file: string,
  language: string,
  ipcCommand: string,
  module = "",
  own = basename(file, extname(file)),
): LocatedPlugin {
  const name = pluginName(own);
  const transports = ["process", "stdio", "direct"];
  const manifest = Manifest.fromPartial({ name, language, interop: { ipcCommand, module }, transports });
  return { manifest, file, folder: dirname(file), isDerived: true };
}
