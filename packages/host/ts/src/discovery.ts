/** Finds plugins: those that are registered, at given paths, in folders, among npm packages and Python's entry points. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { AnyplugError, Code } from "@anyplug/core";
import { builtins } from "./builtin.js";
import { type LocatedPlugin, locatePlugin } from "./locate.js";
import { manifestFile } from "./manifest.js";
import { npmPlugins } from "./npm.js";
import { nodeModulesFolders } from "./package.js";
import { pythonEnvironments, pythonPlugins } from "./python.js";

/** Where to look. What is not given is not looked at. */
export interface DiscoveryOptions {
  /** Plugins: what `loadPlugin` takes, but for addresses. */
  readonly paths?: readonly string[] | undefined;
  /** Folders of plugins: each folder in them that holds a plugin.json is one. */
  readonly folders?: readonly string[] | undefined;
  /** npm packages with the keyword `anyplug-plugin`: true for those in the node_modules of the working folder and of all above it, or the folders whose node_modules to read. */
  readonly npm?: boolean | readonly string[] | undefined;
  /** Entry points `anyplug.plugins` and `jusu.plugins` of installed Python packages: true for the environment whose Python runs plugins, or the folders of environments. */
  readonly python?: boolean | readonly string[] | undefined;
}

/** How a plugin was found. */
export type PluginSource = "builtin" | "path" | "folder" | "npm" | "python";

/** A plugin that was found, and can be loaded. */
export interface FoundPlugin extends LocatedPlugin {
  readonly name: string;
  readonly source: PluginSource;
  /** What it was found in: the path as given, the folder, the npm package, the entry point; of a builtin its name. */
  readonly from: string;
}

/** A plugin that was found and cannot be used, or could not be loaded. */
export interface PluginFailure {
  /** Its name, if that is known. */
  readonly name: string | undefined;
  readonly source: PluginSource;
  readonly from: string;
  readonly error: AnyplugError;
}

/** What was found. */
export interface Discovery {
  readonly plugins: readonly FoundPlugin[];
  /** What is broken; it does not hinder the others. */
  readonly failures: readonly PluginFailure[];
}

/** What one source found: a plugin, or a function that reads it and may throw. */
export interface Finding {
  readonly source: PluginSource;
  readonly from: string;
  readonly locate: () => LocatedPlugin & { readonly name?: string };
}

/**
 * Looks for plugins, in the order: registered ones, paths, folders, npm, Python. Of plugins with one name the first counts, and the others are failures with
 * ALREADY_EXISTS. Nothing is started or imported.
 */
export function discoverPlugins(options: DiscoveryOptions = {}): Discovery {
  const plugins = new Map<string, FoundPlugin>();
  const failures: PluginFailure[] = [];
  for (const { source, from, locate } of findings(options)) {
    let name: string | undefined;
    try {
      const located = locate();
      name = located.name ?? located.manifest.name;
      const before = plugins.get(name);
      if (before === undefined) plugins.set(name, { ...located, name, source, from });
      else if (before.file !== located.file) throw twice(name, before);
    } catch (error) {
      failures.push({ name, source, from, error: AnyplugError.from(error) });
    }
  }
  return { plugins: [...plugins.values()], failures };
}

function* findings({ paths = [], folders = [], npm = false, python = false }: DiscoveryOptions): Generator<Finding> {
  yield* builtins();
  for (const path of paths) yield { source: "path", from: path, locate: () => locatePlugin(path) };
  for (const folder of folders) yield* pluginsIn(folder);
  for (const folder of nodeModulesFolders(npm)) yield* npmPlugins(folder);
  for (const environment of pythonEnvironments(python)) yield* pythonPlugins(environment);
}

function* pluginsIn(folder: string): Generator<Finding> {
  const source = "folder";
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch (cause) {
    const locate = () => {
      throw new AnyplugError(Code.NotFound, `there is no folder of plugins at ${resolve(folder)}`, { cause });
    };
    return yield { source, from: folder, locate };
  }
  for (const name of names) {
    const path = join(folder, name);
    if (existsSync(join(path, manifestFile))) yield { source, from: folder, locate: () => locatePlugin(path) };
  }
}

/** The object in a JSON file. */
export function readObject(file: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof value === "object" && value !== null) return { ...value };
  } catch (cause) {
    throw new AnyplugError(Code.InvalidArgument, `${file}: ${AnyplugError.from(cause).message}`, { cause });
  }
  throw new AnyplugError(Code.InvalidArgument, `${file}: expected an object`);
}

function twice(name: string, { source, from }: FoundPlugin): AnyplugError {
  return new AnyplugError(Code.AlreadyExists, `plugin "${name}" was found before: ${source} ${from}`);
}
