/** Finds plugins among installed npm packages. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Finding, readObject } from "./discovery.js";
import { locatePackage } from "./package.js";

/** npm packages with this keyword are plugins. */
export const npmKeyword = "anyplug-plugin";

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

function packageNames(folder: string): string[] {
  const visible = (path: string) => (existsSync(path) ? readdirSync(path).filter((name) => !name.startsWith(".")) : []);
  const scoped = (name: string) => visible(join(folder, name)).map((inner) => `${name}/${inner}`);
  return visible(folder)
    .flatMap((name) => (name.startsWith("@") ? scoped(name) : [name]))
    .sort();
}
