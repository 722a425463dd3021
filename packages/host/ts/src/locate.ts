/** Finds out what a plugin is that is given by a path or by the name of a module, with a manifest or without. */

import { accessSync, constants, statSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import { AnyplugError, Code } from "@anyplug/core";
import { quoteWord } from "./command.js";
import { derived, derivedLibrary, derivedModule, derivedWasm, isNodeModule } from "./derive.js";
import type { LinkedPlugin } from "./direct.js";
import { isLibrary } from "./ffi.js";
import { type LocatedManifest, readManifest } from "./manifest.js";
import { locateNpmPackage, npmPrefix } from "./package.js";

/** A plugin that can be loaded. */
export interface LocatedPlugin extends LocatedManifest {
  /** The manifest was made up from the surroundings: there is no plugin.json. */
  readonly isDerived?: boolean | undefined;
  /** The plugin itself, which is in this program. */
  readonly linked?: LinkedPlugin | undefined;
  /** The Python program of the environment that it is installed in. */
  readonly python?: string | undefined;
}

const pythonPrefix = "python:";
/**
 * Returns the plugin at `path`: a folder that holds a plugin.json, a manifest (.json), a module that exports `plugin` (.js, .mjs, .cjs, .py), a WebAssembly module (.wasm), a shared library (.so, .dylib, .dll), an executable file, the
 * name of a Python module behind `python:`, or that of an npm package behind `npm:`, which `@scope/name` does not need.
 *
 * @throws AnyplugError as `readManifest`; INVALID_ARGUMENT for a file that is none of these; NOT_FOUND for a package that is not installed.
 */
export function locatePlugin(path: string): LocatedPlugin {
  if (path.startsWith(pythonPrefix)) return locatePythonModule(path.slice(pythonPrefix.length), ".");
  if (path.startsWith(npmPrefix)) return locateNpmPackage(path.slice(npmPrefix.length));
  const file = resolve(path);
  const stat = statSync(file, { throwIfNoEntry: false });
  const extension = extname(file);
  if (stat === undefined && /^@[^/]+\/[^/]+$/.test(path)) return locateNpmPackage(path);
  if (stat === undefined || stat.isDirectory() || extension === ".json") return readManifest(file);
  const name = quoteWord(`./${basename(file)}`);
  if (extension === ".py") return derived(file, "python", `python -m anyplug.run ${name}`);
  if (isNodeModule(file)) return derivedModule(file);
  if (extension === ".wasm") return derivedWasm(file);
  if (isLibrary(file)) return derivedLibrary(file);
  if (isExecutable(file)) return derived(file, "", name);
  const message = `${file} is no plugin: expected a folder with a plugin.json, a manifest (.json), a module (.js, .mjs, .cjs, .py, .wasm), a shared library (.so, .dylib, .dll) or an executable file`;
  throw new AnyplugError(Code.InvalidArgument, message);
}

/**
 * Returns the plugin that a Python module binds to `plugin`, or to the attribute named: `my_package.my_module:my_plugin`.
 *
 * @param folder where Python is started; modules there are found as well
 * @throws AnyplugError INVALID_ARGUMENT when this is no name of a module.
 */
export function locatePythonModule(module: string, folder: string): LocatedPlugin {
  if (!/^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*(:[\p{L}_][\p{L}\p{N}_.]*)?$/u.test(module)) {
    const message = `${JSON.stringify(module)} is no Python module: expected a name such as my_package.my_module, or a path`;
    throw new AnyplugError(Code.InvalidArgument, message);
  }
  const [dotted = module] = module.split(":");
  const command = `python -m anyplug.run ${module}`;
  return { ...derived(resolve(folder, dotted.split(".").at(-1) ?? ""), "python", command), file: module };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
