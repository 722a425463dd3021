import { existsSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { parseSync } from "@swc/core";
import { sourceFiles } from "./source-files.mjs";

/** Returns the imports of every shipped TypeScript source, as `judge` takes them. */
export function typescriptImports(root) {
  const packages = ourPackages(root);
  return sourceFiles(root, /\.m?ts$/).flatMap((file) => {
    const folder = packageFolder(root, file);
    const manifest = readManifest(root, folder);
    return specifiersOf(readFileSync(join(root, file), "utf8")).map((specifier) => {
      if (specifier.startsWith(".")) {
        const target = packageFolder(root, relative(root, resolve(root, dirname(file), specifier)));
        return { file, specifier, target: `${target}/`, samePackage: target === folder };
      }
      const name = packageName(specifier);
      const target = packages.get(name);
      const isOwn = name === manifest.name || manifest.imports?.[specifier] !== undefined;
      const declared = isBuiltin(specifier) || isOwn || declares(manifest, name);
      return { file, specifier, target: target && `${target}/`, samePackage: target === folder, declared };
    });
  });
}

/** Returns what a TypeScript source imports and exports from, statically, dynamically or in a type. */
export function specifiersOf(source) {
  const found = [];
  const visit = (node) => {
    if (Array.isArray(node)) node.forEach(visit);
    if (typeof node !== "object" || node === null || Array.isArray(node)) return;
    if (/^(Import|Export).*Declaration$/.test(node.type) && node.source) found.push(node.source.value);
    if (node.type === "TsImportType") found.push(node.argument.value);
    if (node.type === "CallExpression" && node.callee.type === "Import") {
      const [argument] = node.arguments;
      if (argument?.expression.type === "StringLiteral") found.push(argument.expression.value);
    }
    Object.values(node).forEach(visit);
  };
  visit(parseSync(source, { syntax: "typescript", target: "es2022" }).body);
  return found;
}

function packageName(specifier) {
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? "");
}

/** The nearest folder above `path` that has a package.json. */
function packageFolder(root, path) {
  let folder = dirname(path);
  while (folder !== "." && !existsSync(join(root, folder, "package.json"))) folder = dirname(folder);
  return folder;
}

function readManifest(root, folder) {
  return JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
}

function declares({ dependencies, peerDependencies, optionalDependencies }, name) {
  return [dependencies, peerDependencies, optionalDependencies].some((kind) => kind?.[name] !== undefined);
}

/** Returns the folder of each npm package of ours by its name. */
function ourPackages(root) {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const links = Object.entries(packages).filter(([, entry]) => entry.link === true);
  return new Map(links.map(([path, entry]) => [path.slice("node_modules/".length), entry.resolved]));
}
