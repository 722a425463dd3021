/** What a host can say about loading a plugin. */

import type { Implementation, LimitOptions, LogRecord, ServiceDescriptor } from "@anyplug/core";
import type { EnvironmentOptions, TlsOptions } from "@anyplug/ipc";
import type { InterpreterOptions } from "./interpreter.js";
import type { ReconnectOptions } from "./reconnect.js";
import type { WasmOptions } from "./wasi/files.js";

/**
 * How a plugin is reached: in this process, as a child process, as one whose channel is on stdin and stdout, as a WebAssembly module in this process, as a
 * shared library in this process, or at an address where it is served.
 */
export type TransportName = "direct" | "process" | "stdio" | "wasm" | "ffi" | "unix" | "tcp" | "tls";

/** What a host can say about loading a plugin. All of it is optional. */
export interface LoadOptions extends EnvironmentOptions, InterpreterOptions {
  /** Default: the first of the manifest's that this host has; without any, "direct" for a plugin in TypeScript that names its module, "wasm" or "ffi" for one that has nothing else, else "process". */
  readonly transport?: TransportName | undefined;
  /** What the plugin may call on the host. */
  readonly services?: readonly Implementation[] | undefined;
  /** The capabilities that the plugin is granted, of those that its manifest names; of a plugin at an address, which has none, all of these. */
  readonly grants?: readonly string[] | undefined;
  /** Services that the plugin must serve, with schemas that fit. */
  readonly expect?: readonly ServiceDescriptor[] | undefined;
  /** What this side accepts. What is not set is as the manifest says. */
  readonly limits?: LimitOptions | undefined;
  /** Milliseconds that the plugin may take from its start until calls can be made. Default 30,000. */
  readonly startTimeoutMs?: number | undefined;
  /** Milliseconds that calls in flight may take when the plugin is closed. Default 5,000. */
  readonly drainTimeoutMs?: number | undefined;
  /** The plugin's configuration, over that of its manifest. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  /** Takes log records: what the plugin logs, and the lines that it prints. Default: they are dropped, but for the last lines of a process, which come with its errors. */
  readonly onLog?: ((record: LogRecord) => void) | undefined;
  /** The name that the plugin sees of this host. Default: that of the program. */
  readonly hostName?: string | undefined;
  /** Gives the load up, and ends what was started. A plugin that has been loaded is closed by `close`. */
  readonly signal?: AbortSignal | undefined;
  /** Certificates for an address `tls://`. */
  readonly tls?: TlsOptions | undefined;
  /** Allows an address `tcp://` beyond this machine, where anybody may read along or answer in the plugin's place. */
  readonly allowPlaintext?: boolean | undefined;
  /** What a WebAssembly module may use. */
  readonly wasm?: WasmOptions | undefined;
  /** How a plugin that is a shared library is loaded. */
  readonly ffi?: FfiOptions | undefined;
  /** How a lost link to an address is made again; false: not at all, then the plugin has ended. */
  readonly reconnect?: ReconnectOptions | boolean | undefined;
}

/** What a host can say about a shared library. */
export interface FfiOptions {
  /**
   * "none": it is loaded into this process, shares its memory, and ends it when it crashes. "process": it is loaded into a process of its own, and is slower to reach. Default "none".
   */
  readonly isolation?: "none" | "process" | undefined;
}

export const defaultStartTimeoutMs = 30_000;
export const defaultDrainTimeoutMs = 5_000;
