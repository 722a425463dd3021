/** A plugin as a shared library: its file is found, and the rest is the transport's. */

import { statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AnyplugError, Code } from "@anyplug/core";
import { FfiInstance } from "@anyplug/ffi";
import type { Manifest } from "@anyplug/protocol/anyplug/plugin/v1/manifest.js";
import { derivedFrom } from "./derive.js";
import { defaultDrainTimeoutMs, defaultStartTimeoutMs, type LoadOptions } from "./options.js";
import { pathInside } from "./paths.js";
import { checkConfigLength, hostName, hostRouter, type Plan } from "./plan.js";

/**
 * Loads the library of a plugin into this process.
 *
 * @throws AnyplugError (rejects) NOT_FOUND when there is no such file, and as `FfiInstance.start`.
 */
export async function loadLibrary(
  plan: Plan,
  options: LoadOptions,
): Promise<{ instance: FfiInstance; manifest: Manifest }> {
  const { manifest, config, limits, isDerived = false } = plan;
  const { expect, onLog, signal } = options;
  const { startTimeoutMs = defaultStartTimeoutMs, drainTimeoutMs = defaultDrainTimeoutMs } = options;
  checkConfigLength(JSON.stringify(config), manifest.name);
  const instance = await FfiInstance.start(await libraryFile(plan), {
    hostName: hostName(options),
    router: hostRouter(plan, options),
    limits,
    expect,
    config,
    onLog,
    startTimeoutMs,
    drainTimeoutMs,
    signal,
  });
  return { instance, manifest: isDerived ? derivedFrom(manifest, instance.hello) : manifest };
}

/**
 * Returns the path of a plugin's library.
 *
 * @throws AnyplugError (rejects) NOT_FOUND when there is none, INVALID_ARGUMENT when its path leaves the folder.
 */
export async function libraryFile({ manifest, folder, file, isDerived = false }: Plan): Promise<string> {
  const inside = libraryPath(manifest.interop?.sharedLibPath ?? "");
  const path = pathInside(folder, inside, "interop.sharedLibPath");
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile()) return path;
  const where = isDerived ? path : `${file}: interop.sharedLibPath: ${path}`;
  throw new AnyplugError(Code.NotFound, `${where} does not exist; build the plugin, or name another`);
}

/** What a library's file is called on this system, of which the manifest may say the name alone: `bin/name` is `bin/libname.so`, `bin/libname.dylib` or `bin/name.dll`. */
export function libraryPath(path: string, platform: NodeJS.Platform = process.platform): string {
  const name = basename(path);
  if (isLibrary(name)) return path;
  const [prefix, suffix] = platform === "win32" ? ["", ".dll"] : ["lib", platform === "darwin" ? ".dylib" : ".so"];
  return join(dirname(path), `${prefix}${name}${suffix}`);
}

/** Whether a file has the name of a shared library, of whichever system. */
export function isLibrary(path: string): boolean {
  return (
    /\.(so|dylib|dll)$|\.so\./.test(basename(path)) && statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true
  );
}
