import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { sourceFiles } from "./source-files.mjs";

/**
 * Returns the dependencies of every crate of ours on another (those of its tests aside), and what generated Rust code
 * names of the core, as `judge` takes them.
 */
export function rustImports(root) {
  const options = ["metadata", "--no-deps", "--offline", "--format-version", "1"];
  const metadata = execFileSync("cargo", options, { cwd: root, encoding: "utf8", maxBuffer: 64 << 20 });
  return [...dependenciesIn(root, JSON.parse(metadata).packages), ...codegenPaths(root)];
}

/** Returns the dependencies in the packages that `cargo metadata` lists. */
export function dependenciesIn(root, packages) {
  return packages.flatMap(({ manifest_path, dependencies }) =>
    dependencies
      .filter(({ kind, path }) => kind !== "dev" && typeof path === "string")
      .map(({ name, path }) => ({
        file: relative(root, manifest_path),
        specifier: name,
        target: `${relative(root, path)}/`,
        wholePackage: true,
      })),
  );
}

function codegenPaths(root) {
  const generated = sourceFiles(root, /\.rs$/).filter((file) => file.startsWith("generated/"));
  return generated.flatMap((file) =>
    corePathsIn(readFileSync(join(root, file), "utf8")).map((specifier) => ({
      file,
      specifier,
      target: "packages/core/rust/",
    })),
  );
}

/** Returns the paths into the core that a Rust source names, down to two modules. */
export function corePathsIn(source) {
  return [...source.matchAll(/\banyplug_core(?:::\w+){0,2}/g)].map(([path]) => path);
}
