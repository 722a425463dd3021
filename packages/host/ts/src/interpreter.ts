/** Finds the interpreter that runs a plugin's program. */

import { accessSync, constants } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** What decides on the interpreter. */
export interface InterpreterOptions {
  /** The Python program to use for plugins in Python. */
  readonly python?: string | undefined;
}

/**
 * Returns the program to start for the program named in a plugin's command: `python` and `python3` stand for the Python that suits the plugin, `node` for the one that
 * runs this host; any other is returned as it is.
 *
 * The Python is the first of: the option, $ANYPLUG_PYTHON, $VIRTUAL_ENV, the nearest `.venv` in the plugin's folder or above it, `python3` on PATH.
 */
export function interpreter(
  program: string,
  folder: string,
  options: InterpreterOptions,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string {
  if (program === "node") return nodeProgram();
  if (program !== "python" && program !== "python3") return program;
  if (options.python !== undefined) return options.python;
  const named = env["ANYPLUG_PYTHON"];
  if (named !== undefined && named !== "") return named;
  const active = env["VIRTUAL_ENV"];
  if (active !== undefined && active !== "") return join(active, "bin", "python");
  return nearestVenv(folder) ?? "python3";
}

/** This process's own program when that is Node (and not another runtime or an application with Node inside), else the one on PATH. */
function nodeProgram(): string {
  return /^node/.test(basename(process.execPath)) ? process.execPath : "node";
}

function nearestVenv(folder: string): string | undefined {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const python = join(at, ".venv", "bin", "python");
    if (isExecutable(python)) return python;
    if (at === dirname(at)) return undefined;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
