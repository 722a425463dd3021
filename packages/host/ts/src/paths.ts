/** Keeps the paths of a manifest in the plugin's folder. */

import { realpathSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { AnyplugError, Code } from "@anyplug/core";
import type { Manifest } from "@anyplug/protocol/anyplug/plugin/v1/manifest.js";
import { splitCommand } from "./command.js";

/**
 * The absolute path of `inside`, which is relative to the plugin's folder.
 *
 * @throws AnyplugError INVALID_ARGUMENT naming `member` when the path leaves the folder, by itself or by a symbolic link.
 */
export function pathInside(folder: string, inside: string, member: string): string {
  const path = checkName(folder, inside, member);
  if (leaves(realPath(folder), realPath(path))) throw left(inside, member, " by a symbolic link");
  return path;
}

/** @throws AnyplugError INVALID_ARGUMENT for the first path of the manifest that leaves its folder. */
export function checkPaths(manifest: Manifest, folder: string): void {
  if (manifest.interop === undefined) return;
  const { cwd, wasmPath, sharedLibPath, module, ipcCommand } = manifest.interop;
  const paths = { "interop.cwd": cwd, "interop.wasmPath": wasmPath, "interop.sharedLibPath": sharedLibPath };
  for (const [member, path] of Object.entries(paths)) {
    if (path !== "") pathInside(folder, path, member);
  }
  // A name without a slash is a dotted Python module, or a program on PATH.
  if (module.includes("/")) pathInside(folder, module, "interop.module");
  if (ipcCommand === "") return;
  const [program = ""] = splitCommand(ipcCommand);
  // An absolute program is the system's own, and so may be what a link leads to: the Python of a virtual environment is one.
  if (!program.includes("/") || isAbsolute(program)) return;
  checkName(folder, `${cwd || "."}/${program}`, "interop.ipcCommand");
}

function checkName(folder: string, inside: string, member: string): string {
  const path = resolve(folder, inside);
  if (isAbsolute(inside) || leaves(folder, path)) throw left(inside, member, "");
  return path;
}

function leaves(folder: string, path: string): boolean {
  const back = relative(folder, path);
  return back === ".." || back.startsWith("../");
}

/** Where a path leads to, whose end need not exist yet. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), relative(parent, path));
  }
}

function left(inside: string, member: string, how: string): AnyplugError {
  return new AnyplugError(
    Code.InvalidArgument,
    `${member}: ${JSON.stringify(inside)} leaves the plugin's folder${how}`,
  );
}
