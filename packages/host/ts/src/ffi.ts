/** A plugin as a shared library: its file is found, and the rest is the transport's. */

import { statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { AnyplugError, Code, type Hello } from "@anyplug/core";
import { FfiInstance } from "@anyplug/ffi";
import type { Manifest } from "@anyplug/protocol/anyplug/plugin/v1/manifest.js";
import { derivedFrom } from "./derive.js";
import { type Instance, ProcessInstance, wasClosed } from "./instance.js";
import { locatePlugin } from "./locate.js";
import type { LoadOptions } from "./options.js";
import { pathInside } from "./paths.js";
import { checkConfigLength, hostingOptions, type Plan, planLoad, sizeOfFile, surroundings } from "./plan.js";

/** The program that a library runs in which is loaded into a process of its own. */
const runner = fileURLToPath(new URL("run-library.js", import.meta.url));

/** A plugin as it was loaded, and what it says of itself. */
interface Loaded {
  readonly instance: Instance;
  readonly peer: Pick<Hello, "name" | "version">;
  readonly manifest: Manifest;
}

/**
 * Loads the library of a plugin, into this process or into one of its own.
 *
 * @throws AnyplugError (rejects) NOT_FOUND when there is no such file, INVALID_ARGUMENT for an unknown isolation, and as `FfiInstance.start` or `ProcessInstance.start`.
 */
export async function loadLibrary(plan: Plan, options: LoadOptions): Promise<Loaded> {
  const isolation: string = options.ffi?.isolation ?? "none";
  if (isolation === "none") return loadHere(plan, options);
  if (isolation === "process") return loadApart(plan, options);
  const message = `ffi.isolation: expected "none" or "process", got ${JSON.stringify(isolation)}`;
  throw new AnyplugError(Code.InvalidArgument, message);
}

async function loadApart(plan: Plan, options: LoadOptions): Promise<Loaded> {
  const { config, manifest, isDerived = false } = plan;
  const text = Object.keys(config).length === 0 ? "" : JSON.stringify(config);
  checkConfigLength(text, manifest.name);
  const command = [process.execPath, runner, await libraryFile(plan)];
  const instance = await ProcessInstance.start(plan, options, {
    process: { ...surroundings(plan, options), command },
    config: text,
  });
  const { peer } = instance.link;
  if (peer === undefined) throw wasClosed(manifest.name);
  return { instance, peer, manifest: isDerived ? derivedFrom(manifest, peer) : manifest };
}

async function loadHere(plan: Plan, options: LoadOptions): Promise<Loaded> {
  const { manifest, isDerived = false } = plan;
  const instance = await FfiInstance.start(await libraryFile(plan), hostingOptions(plan, options));
  const peer = instance.hello;
  return { instance, peer, manifest: isDerived ? derivedFrom(manifest, peer) : manifest };
}

/**
 * Returns the path of a plugin's shared library: of a folder, its plugin.json, or the library itself.
 *
 * @throws AnyplugError (rejects) NOT_FOUND when there is none, INVALID_ARGUMENT when the manifest is wrong, FAILED_PRECONDITION when it names no library.
 */
export async function locateLibrary(path: string): Promise<string> {
  const located = locatePlugin(path);
  return libraryFile(planLoad(located, { transport: "ffi" }));
}

/**
 * Returns the path of a plugin's library.
 *
 * @throws AnyplugError (rejects) NOT_FOUND when there is none, INVALID_ARGUMENT when its path leaves the folder.
 */
export async function libraryFile(plan: Plan): Promise<string> {
  const field = "interop.sharedLibPath";
  const path = pathInside(plan.folder, libraryPath(plan.manifest.interop?.sharedLibPath ?? ""), field);
  await sizeOfFile(path, field, plan);
  return path;
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
