/** Loads a plugin from a WebAssembly module, in a browser or anywhere else. */

import { type Implementation, Router } from "@anyplug/core";
import { type InstanceOptions, WasmInstance } from "./instance.js";
import { WasmPlugin } from "./plugin.js";
import type { WasmSource } from "./source.js";

/** What a host can say about loading a module. All of it is optional. */
export interface LoadWasmOptions
  extends Pick<InstanceOptions, "wasm" | "limits" | "expect" | "config" | "onLog" | "signal"> {
  /** What the plugin may call on the host. */
  readonly services?: readonly Implementation[] | undefined;
  /** The capabilities that the plugin is granted. */
  readonly grants?: readonly string[] | undefined;
  /** Milliseconds that the plugin may take until calls can be made. Default 30,000. */
  readonly startTimeoutMs?: number | undefined;
  /** Milliseconds that calls in flight may take when the plugin is closed. Default 5,000. */
  readonly drainTimeoutMs?: number | undefined;
  /** The name that the plugin sees of this host. Default "anyplug". */
  readonly hostName?: string | undefined;
}

/**
 * Loads a plugin from the bytes of a module, from what `fetch` returned, or from a module that was compiled already (which then runs without the limits of the group `wasm`).
 *
 * ```ts
 * await using plugin = await loadWasm(await fetch("eliza.wasm"));
 * const { text } = await plugin.client(Eliza).reply({ text: "Men are all alike." });
 * ```
 *
 * @throws AnyplugError (rejects) INVALID_ARGUMENT when it is no module, FAILED_PRECONDITION when it is no plugin for this host or its schemas do not fit, RESOURCE_EXHAUSTED when
 * it is over a limit, NOT_FOUND or UNAVAILABLE for a response that is no success, DEADLINE_EXCEEDED when it takes too long, CANCELLED when the signal was aborted, and the plugin's
 * own when it refuses to start.
 */
export async function loadWasm(
  source: WasmSource | Promise<WasmSource>,
  options: LoadWasmOptions = {},
): Promise<WasmPlugin> {
  const {
    services,
    grants,
    expect,
    onLog,
    hostName = "anyplug",
    startTimeoutMs = 30_000,
    drainTimeoutMs = 5_000,
  } = options;
  const router = new Router({ services, grants, uses: expect });
  const given = await source;
  const place = typeof Response === "function" && given instanceof Response ? given.url || "the module" : "the module";
  const instance = await WasmInstance.start(given, {
    ...options,
    place,
    hostName,
    router,
    onLog,
    startTimeoutMs,
    drainTimeoutMs,
  });
  return new WasmPlugin(instance);
}
