import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

/** Python compiles next to its sources. */
const ignored = "__pycache__";

/** The files below a path, relative to it, in order; a file itself is the empty name. */
function files(path) {
  if (!existsSync(path)) return [];
  if (!lstatSync(path).isDirectory()) return [""];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.split("/").includes(ignored))
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();
}

/** How the tree `actual` differs from the tree `expected`. */
export function differences(expected, actual) {
  const wanted = files(expected);
  const present = new Set(files(actual));
  const found = wanted.flatMap((file) => {
    if (!present.delete(file)) return [{ what: "missing", file }];
    return readFileSync(join(expected, file)).equals(readFileSync(join(actual, file)))
      ? []
      : [{ what: "differs", file }];
  });
  return [...found, ...[...present].map((file) => ({ what: "stale", file }))];
}

/**
 * Makes the tree `target` equal to `source` and returns how many files changed. Equal files are left alone, so that
 * compilers see what changed by the time of each file.
 */
export function replace(source, target) {
  const found = differences(source, target);
  for (const { what, file } of found) {
    if (what === "stale") rmSync(join(target, file));
    else {
      mkdirSync(dirname(join(target, file)), { recursive: true });
      cpSync(join(source, file), join(target, file));
    }
  }
  return found.length;
}
