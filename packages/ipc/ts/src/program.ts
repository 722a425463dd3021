/** Finds the program of a command before it is started, so that the error can say what was looked for and where. */

import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { AnyplugError, Code } from "@anyplug/core";

/** Where a program is looked for. */
export interface ProgramPlace {
  /** The value of PATH; empty or absent: no folder. */
  readonly path: string | undefined;
  /** The folder that a program with a slash in its name is relative to. */
  readonly cwd: string;
}

/**
 * Returns the absolute path of `program`.
 *
 * @throws AnyplugError NOT_FOUND when there is none, PERMISSION_DENIED when it is there but is not executable.
 */
export function findProgram(program: string, place: ProgramPlace): string {
  if (program.includes("/")) {
    const path = resolve(place.cwd, program);
    if (isExecutable(path)) return path;
    if (isFile(path))
      throw new AnyplugError(Code.PermissionDenied, `program ${path} is not executable; set its mode with chmod +x`);
    throw new AnyplugError(Code.NotFound, `program ${path} does not exist; build it, or name another command`);
  }
  const folders = (place.path ?? "").split(delimiter).filter(isAbsolute);
  for (const folder of folders) {
    const path = join(folder, program);
    if (isExecutable(path)) return path;
  }
  const where = folders.length === 0 ? "PATH is empty" : `looked in ${folders.join(", ")}`;
  throw new AnyplugError(
    Code.NotFound,
    `program "${program}" was not found (${where}); install it, or add its folder to PATH`,
  );
}

/** The interpreter that a script names in its first line, or undefined when the file is no such script. */
export function scriptInterpreter(path: string): string | undefined {
  const start = Buffer.alloc(256);
  const file = openSync(path, "r");
  try {
    const text = start.toString("utf8", 0, readSync(file, start));
    return /^#! *([^\s]+)/.exec(text)?.[1];
  } finally {
    closeSync(file);
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return isFile(path);
  } catch {
    return false;
  }
}
