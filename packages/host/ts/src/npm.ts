/** Finds plugins among installed npm packages. */

import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { AnyplugError, Code } from "@anyplug/core";
import { type Finding, readObject } from "./discovery.js";
import { type LocatedPlugin, locatePlugin } from "./locate.js";
import { manifestFile } from "./manifest.js";
import { pathInside } from "./paths.js";

/** npm packages with this keyword are plugins. */
export const npmKeyword = "anyplug-plugin";

/** The folders named node_modules to look in: those of the working folder and all above it, or of the folders given. */
export function nodeModulesFolders(npm: boolean | readonly string[]): string[] {
  if (npm === false) return [];
  const folders = npm === true ? ancestors(process.cwd()) : npm.map((folder) => resolve(folder));
  const all = folders.map((folder) => (basename(folder) === "node_modules" ? folder : join(folder, "node_modules")));
  return npm === true ? all.filter((folder) => existsSync(folder)) : all;
}

/** What is a plugin in a folder node_modules. */
export function* npmPlugins(folder: string): Generator<Finding> {
  for (const name of packageNames(folder)) {
    const file = join(folder, name, "package.json");
    if (!existsSync(file)) continue;
    let description: Readonly<Record<string, unknown>>;
    try {
      description = readObject(file);
    } catch {
      // Whatever that package is, it does not say that it is a plugin.
      continue;
    }
    const { keywords, anyplug } = description;
    if (anyplug === undefined && !(Array.isArray(keywords) && keywords.includes(npmKeyword))) continue;
    yield { source: "npm", from: name, locate: () => locatePackage(file, anyplug) };
  }
}

function locatePackage(file: string, anyplug: unknown): LocatedPlugin {
  const folder = dirname(file);
  if (anyplug !== undefined && typeof anyplug !== "string") {
    const message = `${file}: anyplug: expected the path of the manifest, got ${JSON.stringify(anyplug)}`;
    throw new AnyplugError(Code.InvalidArgument, message);
  }
  const manifest = pathInside(folder, anyplug ?? manifestFile, `${file}: anyplug`);
  if (existsSync(manifest)) return locatePlugin(manifest);
  const message = `${file}: there is no ${manifest}; add it, or name the manifest's path in a member "anyplug"`;
  throw new AnyplugError(Code.NotFound, message);
}

function packageNames(folder: string): string[] {
  const visible = (path: string) => (existsSync(path) ? readdirSync(path).filter((name) => !name.startsWith(".")) : []);
  const scoped = (name: string) => visible(join(folder, name)).map((inner) => `${name}/${inner}`);
  return visible(folder)
    .flatMap((name) => (name.startsWith("@") ? scoped(name) : [name]))
    .sort();
}

function ancestors(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...ancestors(parent)];
}
