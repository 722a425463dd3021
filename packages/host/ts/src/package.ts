/** Finds the plugin in an npm package. */

import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { AnyplugError, Code } from "@anyplug/core";
import { derivedModule } from "./derive.js";
import { readObject } from "./discovery.js";
import type { LocatedPlugin } from "./locate.js";
import { manifestFile, readManifest } from "./manifest.js";
import { pathInside } from "./paths.js";

/** Stands before the name of an npm package. */
export const npmPrefix = "npm:";

/** By which of its `exports` a package is imported, the first that it has. */
const conditions = ["node", "import", "default"];

/** The folders named node_modules to look in: those of the working folder and all above it, or of the folders given. */
export function nodeModulesFolders(npm: boolean | readonly string[]): string[] {
  if (npm === false) return [];
  const folders = npm === true ? ancestors(process.cwd()) : npm.map((folder) => resolve(folder));
  const all = folders.map((folder) => (basename(folder) === "node_modules" ? folder : join(folder, "node_modules")));
  return npm === true ? all.filter((folder) => existsSync(folder)) : all;
}

/**
 * Returns the plugin in the installed npm package of that name: that of its manifest, or without one what its main module exports as `plugin`.
 *
 * @throws AnyplugError NOT_FOUND when it is not installed in a node_modules of the working folder or of one above it; as `readManifest`; INVALID_ARGUMENT when this is no name.
 */
export function locateNpmPackage(name: string): LocatedPlugin {
  if (!/^(@[\w~.-]+\/)?[\w~-][\w~.-]*$/.test(name)) {
    const message = `${JSON.stringify(name)} is no npm package: expected a name such as my-plugin or @scope/my-plugin`;
    throw new AnyplugError(Code.InvalidArgument, message);
  }
  const folders = nodeModulesFolders(true);
  const file = folders.map((folder) => join(folder, name, "package.json")).find((path) => existsSync(path));
  if (file === undefined) {
    const looked = folders.join(", ") || `no node_modules in ${process.cwd()} or above it`;
    throw new AnyplugError(Code.NotFound, `there is no npm package ${name}; looked in ${looked}`);
  }
  const description = readObject(file);
  const { anyplug } = description;
  if (anyplug !== undefined || existsSync(join(dirname(file), manifestFile))) return locatePackage(file, anyplug);
  const main = pathInside(dirname(file), mainModule(description), `${file}: its main module`);
  if (existsSync(main)) return derivedModule(main, name.replace(/^.*\//, ""));
  throw new AnyplugError(Code.NotFound, `${file}: there is no plugin.json, and no main module ${main}`);
}

/** Returns the plugin of a package's manifest; `anyplug` is that member of its package.json. */
export function locatePackage(file: string, anyplug: unknown): LocatedPlugin {
  const folder = dirname(file);
  if (anyplug !== undefined && typeof anyplug !== "string") {
    const message = `${file}: anyplug: expected the path of the manifest, got ${JSON.stringify(anyplug)}`;
    throw new AnyplugError(Code.InvalidArgument, message);
  }
  const manifest = pathInside(folder, anyplug ?? manifestFile, `${file}: anyplug`);
  if (existsSync(manifest)) return readManifest(manifest);
  const message = `${file}: there is no ${manifest}; add it, or name the manifest's path in a member "anyplug"`;
  throw new AnyplugError(Code.NotFound, message);
}

/** The module that is imported by the package's name. */
function mainModule({ exports, main }: Readonly<Record<string, unknown>>): string {
  const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
    typeof value === "object" && value !== null;
  let entry = isObject(exports) && "." in exports ? exports["."] : exports;
  while (isObject(entry)) {
    const among = entry;
    entry = conditions.map((condition) => among[condition]).find((one) => one !== undefined);
  }
  if (typeof entry === "string") return entry;
  return typeof main === "string" ? main : "index.js";
}

function ancestors(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...ancestors(parent)];
}
