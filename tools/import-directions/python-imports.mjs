import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { sourceFiles } from "./source-files.mjs";

const script = join(dirname(fileURLToPath(import.meta.url)), "python_imports.py");

/** The Python packages of ours that others import by name, and the folders they lie in. */
const FOLDERS = { anyplug: "packages/python/", anyplug_generated: "generated/python/" };

/** Returns the imports of every shipped Python source, as `judge` takes them. */
export function pythonImports(root) {
  const files = sourceFiles(root, /\.pyi?$/);
  const python = join(root, ".venv", "bin", "python");
  const printed = execFileSync(python, [script], { cwd: root, encoding: "utf8", input: files.join("\n") });
  return JSON.parse(printed).map(([file, module]) => toImport(file, module));
}

/**
 * @param {string} file the importing file
 * @param {string} path what it imports, down to the name: `anyplug.codegen.v1.Method`
 */
export function toImport(file, path) {
  const parts = path.split(".");
  const target = FOLDERS[parts[0]];
  // `from anyplug.codegen import v1` and `from anyplug.codegen.v1 import Method` are both about anyplug.codegen.v1.
  return { file, specifier: parts.slice(0, 3).join("."), target, samePackage: target && file.startsWith(target) };
}
