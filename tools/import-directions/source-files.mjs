import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";

const FOLDERS = ["generated", "packages", "plugins", "examples", "tools"];
const NOT_SHIPPED = new Set(["node_modules", "dist", "target", "test", "tests", "__pycache__"]);

/**
 * @param {string} root the root of the repository
 * @param {RegExp} name what the names of the files look like
 * @returns {string[]} the shipped sources (no tests, nothing that is built), relative to the root
 */
export function sourceFiles(root, name) {
  const walk = (folder) =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      // generated/**/anyplug/test holds the schemas of the test service, which is generated like all others.
      const skipped = NOT_SHIPPED.has(entry.name) && !/generated\/.*\/anyplug\/test$/.test(path);
      if (entry.isDirectory()) return skipped ? [] : walk(path);
      return name.test(entry.name) ? [relative(root, path)] : [];
    });
  return FOLDERS.map((folder) => join(root, folder))
    .filter((folder) => existsSync(folder))
    .flatMap(walk);
}
