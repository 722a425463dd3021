/** What a host can say about an Extism plugin. */

import { AnyplugError, Code, type LogRecord } from "@anyplug/core";
import type { WasmOptions } from "../limits.js";
import type { SendRequest } from "./http.js";
import { sendByXhr } from "./xhr.js";

/** A function of the host's own, which plugins import from `extism:host/user`. What it throws ends the call. */
export type ExtismFunction = (input: Uint8Array) => Uint8Array | string | undefined;

/** What a host can say about loading an Extism plugin. All of it is optional. */
export interface ExtismOptions {
  /** What the plugin is called in errors and in the log. Default: "extism", or the name of its file. */
  readonly name?: string | undefined;
  /** The plugin's configuration. */
  readonly config?: Readonly<Record<string, string>> | undefined;
  /** Names of hosts that it may send HTTP requests to; `*` stands for any run of characters. Default: none. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Functions that it may import from `extism:host/user`, by name. */
  readonly functions?: Readonly<Record<string, ExtismFunction>> | undefined;
  /** Bytes of its variables, names and values. Default 1 MiB. */
  readonly maxVarBytes?: number | undefined;
  /** Bytes of the response to a request. Default 50 MiB. */
  readonly maxHttpResponseBytes?: number | undefined;
  /** What it may use. Its host's memory, which holds input and output, may be as large as its own. It has one instance. */
  readonly wasm?: WasmOptions | undefined;
  /** Takes what it logs. Default: it is dropped. */
  readonly onLog?: ((record: LogRecord) => void) | undefined;
  /** Sends its requests. Default: by XMLHttpRequest, where there is one. */
  readonly sendRequest?: SendRequest | undefined;
}

/** The options with the defaults. */
export interface ExtismSettings {
  readonly name: string;
  readonly config: ReadonlyMap<string, string>;
  readonly allowedHosts: readonly string[];
  readonly functions: Readonly<Record<string, ExtismFunction>>;
  readonly maxVarBytes: number;
  readonly maxHttpResponseBytes: number;
  readonly onLog: ((record: LogRecord) => void) | undefined;
  readonly send: SendRequest;
}

/**
 * Returns the options with the defaults.
 *
 * @throws AnyplugError INVALID_ARGUMENT for one that is wrong.
 */
export function extismSettings(options: ExtismOptions): ExtismSettings {
  const { name = "extism", config = {}, allowedHosts = [], functions = {}, onLog, sendRequest = sendByXhr } = options;
  for (const [key, value] of Object.entries(config)) {
    if (typeof value !== "string") throw invalid(`config.${key}`, "a string", value);
  }
  return {
    name,
    config: new Map(Object.entries(config)),
    allowedHosts,
    functions,
    maxVarBytes: atLeastZero("maxVarBytes", options.maxVarBytes ?? 1_048_576),
    maxHttpResponseBytes: atLeastZero("maxHttpResponseBytes", options.maxHttpResponseBytes ?? 52_428_800),
    onLog,
    send: sendRequest,
  };
}

function atLeastZero(name: string, value: number): number {
  if (typeof value === "number" && value >= 0) return value;
  throw invalid(name, "a number of bytes", value);
}

function invalid(name: string, expected: string, value: unknown): AnyplugError {
  return new AnyplugError(Code.InvalidArgument, `${name}: expected ${expected}, got ${String(value)}`);
}
