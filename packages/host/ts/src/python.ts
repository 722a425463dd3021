/** Finds plugins among installed Python packages, by their entry points, without starting Python. */

import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { AnyplugError, Code } from "@anyplug/core";
import { pluginName } from "./derive.js";
import type { Finding } from "./discovery.js";
import { interpreter } from "./interpreter.js";
import { type LocatedPlugin, locatePlugin, locatePythonModule } from "./locate.js";
import { manifestFile } from "./manifest.js";

/** The groups of entry points that are plugins. */
export const entryPointGroups: readonly string[] = ["anyplug.plugins", "jusu.plugins"];

/** The folders of the Python environments to look in: that of the Python which runs plugins, or those given. */
export function pythonEnvironments(python: boolean | readonly string[]): string[] {
  if (python === false) return [];
  if (python !== true) return python.map((folder) => resolve(folder));
  const program = interpreter("python", process.cwd(), {});
  const path = program.includes("/") ? resolve(program) : onPath(program);
  if (path === undefined) return [];
  // A virtual environment is where its link to Python lies; the system's Python belongs to the folder that it really lies in.
  const own = dirname(dirname(path));
  return [existsSync(join(own, "pyvenv.cfg")) ? own : dirname(dirname(realpathSync(path)))];
}

/** The plugins that are installed in an environment. */
export function* pythonPlugins(environment: string): Generator<Finding> {
  const folders = sitePackages(environment);
  if (folders.length === 0) {
    const locate = () => {
      throw new AnyplugError(Code.NotFound, `there is no Python environment at ${environment}`);
    };
    return yield { source: "python", from: environment, locate };
  }
  const program = join(environment, "bin", "python");
  const python = existsSync(program) ? program : undefined;
  for (const folder of folders) {
    for (const info of readdirSync(folder)
      .filter((name) => name.endsWith(".dist-info"))
      .sort()) {
      const file = join(folder, info, "entry_points.txt");
      if (!existsSync(file)) continue;
      for (const { group, name, value } of entryPoints(readFileSync(file, "utf8"))) {
        const locate = () => ({ ...locateEntryPoint(name, value, folder), python });
        if (entryPointGroups.includes(group)) yield { source: "python", from: `${group} ${name} = ${value}`, locate };
      }
    }
  }
}

/** The entry points in the text of an entry_points.txt. */
export function entryPoints(text: string): { group: string; name: string; value: string }[] {
  const found: { group: string; name: string; value: string }[] = [];
  let group = "";
  for (const line of text.split(/\r?\n/).map((line) => line.trim())) {
    if (line.startsWith("#") || line.startsWith(";")) continue;
    const [, heading] = /^\[(.*)\]$/.exec(line) ?? [];
    // What stands in brackets behind the value are extras that the entry point needs.
    const [, name, value] = /^([^=]+?)\s*=\s*(.*?)(\s*\[.*\])?$/.exec(line) ?? [];
    if (heading !== undefined) group = heading.trim();
    else if (name !== undefined && value !== undefined) found.push({ group, name, value });
  }
  return found;
}

/** By the plugin.json in the package, or beside the module, if there is one. */
function locateEntryPoint(name: string, value: string, folder: string): LocatedPlugin & { name?: string } {
  const [module = ""] = value.split(":");
  const parts = module.split(".");
  const place = join(folder, ...parts);
  // A module directly in site-packages has nothing of its own beside it.
  const places = parts.length > 1 ? [place, dirname(place)] : [place];
  const found = places.find((each) => existsSync(join(each, manifestFile)));
  if (found !== undefined) return locatePlugin(found);
  return { ...locatePythonModule(value.replace(/\s*:\s*/, ":"), folder), name: pluginName(name) };
}

function sitePackages(environment: string): string[] {
  const lib = join(environment, "lib");
  if (!existsSync(lib)) return [];
  const versions = readdirSync(lib).filter((name) => /^python3/.test(name));
  const folders = versions.flatMap((name) => ["site-packages", "dist-packages"].map((each) => join(lib, name, each)));
  return folders.filter((folder) => existsSync(folder));
}

function onPath(program: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}
