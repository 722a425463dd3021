/** Decides how a plugin is to be loaded, before anything is started. */

import { stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import { AnyplugError, Code, type LimitOptions, Router, type RouterOptions } from "@anyplug/core";
import type { HostingOptions } from "@anyplug/core/transports";
import { configVariable, type ProcessOptions } from "@anyplug/ipc";
import { splitCommand } from "./command.js";
import { interpreter } from "./interpreter.js";
import type { LocatedPlugin } from "./locate.js";
import { defaultDrainTimeoutMs, defaultStartTimeoutMs, type LoadOptions, type TransportName } from "./options.js";
import { pathInside } from "./paths.js";

const transports: readonly TransportName[] = ["direct", "process", "stdio", "wasm", "ffi"];

/** How a plugin will be loaded. */
export interface Plan extends LocatedPlugin {
  readonly transport: TransportName;
  /** It speaks JSON-RPC, on its standard streams. */
  readonly isJsonRpc: boolean;
  /** The configuration: that of the manifest, with the host's own over it. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The limits of this side: the host's own, with those of the manifest below. */
  readonly limits: LimitOptions;
  /** The capabilities that the host grants, of those that the manifest names. */
  readonly grants: readonly string[];
}

/**
 * Decides.
 *
 * @throws AnyplugError INVALID_ARGUMENT for a transport that this host does not have; FAILED_PRECONDITION when the plugin cannot be reached by any
 * that it has.
 */
export function planLoad(located: LocatedPlugin, options: LoadOptions): Plan {
  const { manifest, file, isDerived = false } = located;
  const transport = chooseTransport(located, options.transport);
  const config = { ...manifest.config, ...options.config };
  const { maxMessageBytes, maxBufferBytes, maxPendingRequests, initialCreditBytes } = options.limits ?? {};
  const limits = {
    maxMessageBytes: maxMessageBytes || manifest.limits?.maxMessageBytes,
    maxBufferBytes: maxBufferBytes || manifest.limits?.maxBufferBytes,
    maxPendingRequests: maxPendingRequests || manifest.limits?.maxPendingRequests,
    initialCreditBytes,
  };
  const asked = options.grants ?? [];
  const grants = asked.filter((grant) => isDerived || manifest.capabilities.includes(grant));
  for (const grant of asked.filter((grant) => !grants.includes(grant))) {
    const message = `capability "${grant}" is not granted: capabilities in ${file} does not name it`;
    options.onLog?.({ level: "warn", message, logger: "anyplug", timeMs: Date.now(), fields: {} });
  }
  return { ...located, transport, isJsonRpc: isJsonRpc(located), config, limits, grants };
}

/**
 * Returns the process to start.
 *
 * @throws AnyplugError FAILED_PRECONDITION when the manifest names no command.
 */
export function processOptions(plan: Plan, options: LoadOptions): ProcessOptions {
  const { manifest, folder, file, transport, config, python } = plan;
  const { ipcCommand = "" } = manifest.interop ?? {};
  if (ipcCommand === "") {
    const message = `${file}: interop.ipcCommand is missing, and transport "${transport}" needs a command to start`;
    throw new AnyplugError(Code.FailedPrecondition, message);
  }
  const [program = "", ...args] = splitCommand(ipcCommand);
  const env: Record<string, string> = { ...options.env };
  if (Object.keys(config).length > 0) env[configVariable] = configText(config, manifest.name);
  const command = [interpreter(program, folder, { python: options.python ?? python }), ...args];
  return { ...surroundings(plan, options), command, env, stdio: transport === "stdio" };
}

/** Where a process of a plugin is started, and what becomes of what it prints. */
export function surroundings(
  { manifest, folder }: Plan,
  { env, inheritEnv, envDenylist, onLog }: LoadOptions,
): Omit<ProcessOptions, "command"> {
  return {
    name: manifest.name,
    cwd: pathInside(folder, manifest.interop?.cwd ?? "", "interop.cwd"),
    env,
    inheritEnv,
    envDenylist,
    onLine: onLog && ((stream, message) => onLog({ ...printed[stream], message, timeMs: Date.now(), fields: {} })),
  };
}

/** The configuration as the process gets it. Linux takes 128 KiB in a variable, and says of more only that it is too much. */
function configText(config: Plan["config"], name: string): string {
  const text = JSON.stringify(config);
  checkConfigLength(text, name);
  return text;
}

/** @throws AnyplugError INVALID_ARGUMENT for a configuration that is larger than a plugin takes over any transport. */
export function checkConfigLength(text: string, name: string): void {
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxConfigBytes) return;
  const message = `the configuration of plugin "${name}" takes ${bytes} bytes, and a process takes ${maxConfigBytes}; give the path of a file instead`;
  throw new AnyplugError(Code.InvalidArgument, message);
}

/**
 * What a plugin is told that is loaded into this process.
 *
 * @throws AnyplugError INVALID_ARGUMENT for a configuration that is too large.
 */
export function hostingOptions(plan: Plan, options: LoadOptions): HostingOptions {
  const { config, limits, manifest } = plan;
  const { expect, onLog, signal } = options;
  const { startTimeoutMs = defaultStartTimeoutMs, drainTimeoutMs = defaultDrainTimeoutMs } = options;
  checkConfigLength(JSON.stringify(config), manifest.name);
  const router = hostRouter(plan, options);
  return { hostName: hostName(options), router, limits, expect, config, onLog, startTimeoutMs, drainTimeoutMs, signal };
}

/**
 * Finds a file that the manifest names, which is at `path`, and returns how large it is, in bytes.
 *
 * @param field where the manifest names it, such as `interop.wasmPath`
 * @throws AnyplugError (rejects) NOT_FOUND when there is none.
 */
export async function sizeOfFile(
  path: string,
  field: string,
  { file, isDerived = false }: LocatedPlugin,
): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile()) return found.size;
  const where = isDerived ? path : `${file}: ${field}: ${path}`;
  throw new AnyplugError(Code.NotFound, `${where} does not exist; build the plugin, or name another`);
}

const maxConfigBytes = 131_072 - `${configVariable}=\0`.length;

/** A line that the plugin printed is a record of its log. */
const printed = {
  stdout: { level: "info", logger: "stdout" },
  stderr: { level: "warn", logger: "stderr" },
} as const;

/** What this side serves, and what the plugin may call of it. */
export function hostRouter({ grants }: Pick<Plan, "grants">, { services, expect, onLog }: LoadOptions): Router {
  return new Router({ services, uses: expect, grants, onError: failureLog(onLog) });
}

/** Takes what a handler threw, with its stack, into the log. */
export function failureLog(onLog: LoadOptions["onLog"]): RouterOptions["onError"] {
  return (
    onLog &&
    ((error, { path, service }) => {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const message = `the handler of ${path} failed: ${what}`;
      onLog({ level: "error", message, logger: service.name, timeMs: Date.now(), fields: {} });
    })
  );
}

/** The name that the plugin sees of this host. */
export function hostName({ hostName }: LoadOptions): string {
  const program = process.argv[1] ?? process.execPath;
  return hostName ?? basename(program, extname(program));
}

function chooseTransport(located: LocatedPlugin, asked: string | undefined): TransportName {
  const { manifest, file } = located;
  if (isJsonRpc(located)) {
    if (asked === undefined || asked === "stdio") return "stdio";
    const message = `${file}: interop.protocol is "json-rpc", which is spoken over transport "stdio", not over ${JSON.stringify(asked)}`;
    throw new AnyplugError(Code.FailedPrecondition, message);
  }
  if (asked !== undefined) {
    const known = transports.find((name) => name === asked);
    if (known === undefined) {
      const message = `transport: expected one of ${transports.join(", ")}, got ${JSON.stringify(asked)}`;
      throw new AnyplugError(Code.InvalidArgument, message);
    }
    if (known === "direct" && !isDirect(located)) {
      const message = `${file}: transport "direct" is for a plugin in this host's language, TypeScript, that names its module in interop.module`;
      throw new AnyplugError(Code.FailedPrecondition, message);
    }
    if (known === "wasm" && !isWasm(located)) {
      const message = `${file}: transport "wasm" is for a plugin that names its module in interop.wasmPath`;
      throw new AnyplugError(Code.FailedPrecondition, message);
    }
    if (known === "ffi" && !isLibrary(located)) {
      const message = `${file}: transport "ffi" is for a plugin that names its shared library in interop.sharedLibPath`;
      throw new AnyplugError(Code.FailedPrecondition, message);
    }
    return known;
  }
  const preferred: readonly string[] = manifest.transports.length === 0 ? preferredOf(located) : manifest.transports;
  const possible = transports.filter((name) => canUse(located, name));
  const chosen = preferred.map((name) => possible.find((one) => one === name)).find((name) => name !== undefined);
  if (chosen !== undefined) return chosen;
  const message = `${file}: transports names ${preferred.join(", ")}, and this host has ${possible.join(", ")} for it`;
  throw new AnyplugError(Code.FailedPrecondition, message);
}

function isJsonRpc({ manifest }: LocatedPlugin): boolean {
  return manifest.interop?.protocol === "json-rpc";
}

/** What a manifest that names no transports prefers. */
function preferredOf({ manifest }: LocatedPlugin): readonly string[] {
  const { protocol = "", wasmPath = "", sharedLibPath = "", ipcCommand = "" } = manifest.interop ?? {};
  // What shares this process's memory is not chosen, unless there is nothing else or the manifest says so.
  if (protocol === "ffi" || protocol === "native") return ["ffi", ...transports];
  if (protocol === "wasm" || (wasmPath !== "" && ipcCommand === "")) return ["wasm", ...transports];
  return sharedLibPath !== "" && ipcCommand === "" ? ["direct", "ffi", ...transports] : transports;
}

function canUse(located: LocatedPlugin, name: TransportName): boolean {
  if (name === "direct") return isDirect(located);
  if (name === "ffi") return isLibrary(located);
  return name !== "wasm" || isWasm(located);
}

function isLibrary({ manifest }: LocatedPlugin): boolean {
  return (manifest.interop?.sharedLibPath ?? "") !== "";
}

function isWasm({ manifest }: LocatedPlugin): boolean {
  return (manifest.interop?.wasmPath ?? "") !== "";
}

/** Whether the plugin can be loaded into this process. */
function isDirect({ manifest, linked }: LocatedPlugin): boolean {
  if (linked !== undefined) return true;
  return manifest.language === "typescript" && (manifest.interop?.module ?? "") !== "";
}
