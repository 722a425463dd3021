/** Reads plugin.json: what a plugin is, and how it is reached. */

import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { AnyplugError, Code } from "@anyplug/core";
import { Manifest } from "@anyplug/protocol/anyplug/plugin/v1/manifest.js";
import { checkPaths } from "./paths.js";
import { anything, flag, integer, list, matching, members, oneOf, record, text } from "./shape.js";

export type { Manifest };

/** The file that a plugin's folder holds. */
export const manifestFile = "plugin.json";

const largest = 0xffff_ffff;

const action = members({ name: text, description: text, similes: list(text), examples: list(anything) }, ["name"]);
const provider = members(
  { name: text, description: text, dynamic: flag, position: integer(-0x8000_0000, 0x7fff_ffff), private: flag },
  ["name"],
);
const evaluator = members({ name: text, description: text, alwaysRun: flag, similes: list(text) }, ["name"]);
const service = members({ type: text, description: text }, ["type"]);
const route = members(
  {
    path: text,
    method: oneOf("GET", "POST", "PUT", "PATCH", "DELETE", "STATIC"),
    name: text,
    public: flag,
    isMultipart: flag,
  },
  ["path", "method"],
);
const interop = members({
  protocol: oneOf("wasm", "ffi", "ipc", "native", "json-rpc"),
  wasmPath: text,
  sharedLibPath: text,
  ipcCommand: text,
  ipcPort: integer(1, 65_535),
  cwd: text,
  module: text,
});
const limits = members({
  maxMessageBytes: integer(0, largest),
  maxBufferBytes: integer(0, largest),
  maxPendingRequests: integer(0, largest),
});

const shape = members(
  {
    name: matching(/^[a-z][a-z0-9-]*$/, "lower-case letters, digits and dashes, beginning with a letter"),
    description: text,
    version: text,
    language: oneOf("typescript", "rust", "python", "other"),
    interop,
    config: record(anything),
    dependencies: list(text),
    events: record(list(anything)),
    actions: list(action),
    providers: list(provider),
    evaluators: list(evaluator),
    services: list(service),
    routes: list(route),
    offers: list(text),
    capabilities: list(text),
    limits,
    transports: list(text),
  },
  ["name", "version", "language"],
);

/** A manifest and the folder that its paths are relative to. */
export interface LocatedManifest {
  readonly manifest: Manifest;
  /** The absolute path of the manifest's folder. */
  readonly folder: string;
  /** The absolute path of the manifest. */
  readonly file: string;
}

/**
 * Reads the manifest at `path`: a folder that holds a plugin.json, or the file itself.
 *
 * @throws AnyplugError NOT_FOUND when there is none; INVALID_ARGUMENT when it is not JSON, or a member is not what it should be (named by its path), or a path leaves the folder.
 */
export function readManifest(path: string): LocatedManifest {
  const file = locate(path);
  const folder = dirname(file);
  try {
    const manifest = parseManifest(readFileSync(file, "utf8"));
    checkPaths(manifest, folder);
    return { manifest, folder, file };
  } catch (error) {
    const { code, message } = AnyplugError.from(error);
    throw new AnyplugError(code, `${file}: ${message}`, { cause: error });
  }
}

/**
 * Returns the manifest in `json`.
 *
 * @throws AnyplugError INVALID_ARGUMENT as `readManifest` does, without looking at paths.
 */
export function parseManifest(json: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new AnyplugError(
      Code.InvalidArgument,
      `is not JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const { events = {}, ...rest } = shape(value, "");
  return Manifest.fromPartial({ ...rest, events: new Map(Object.entries(events)) });
}

function locate(path: string): string {
  const absolute = resolve(path);
  const found = statSync(absolute, { throwIfNoEntry: false });
  if (found === undefined) throw new AnyplugError(Code.NotFound, `there is no plugin at ${absolute}`);
  const file = found.isDirectory() ? join(absolute, manifestFile) : absolute;
  if (statSync(file, { throwIfNoEntry: false }) === undefined) {
    throw new AnyplugError(Code.NotFound, `the folder ${absolute} has no ${manifestFile}`);
  }
  return file;
}
