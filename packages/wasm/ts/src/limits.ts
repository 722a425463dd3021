/** What a guest may use. */

import { AnyplugError, Code } from "@anyplug/core";
import type { WasiFiles } from "./wasi.js";

/** What a host says about a WebAssembly module. */
export interface WasmOptions {
  /** Bytes that a module may have. Default 64 MiB. */
  readonly maxWasmBytes?: number | undefined;
  /** Bytes of memory that an instance may have, and bytes that it may send in one go. Default 256 MiB. */
  readonly maxMemoryBytes?: number | undefined;
  /** Units of work, about one an instruction, for one call into the guest. Default: no limit. */
  readonly fuel?: number | undefined;
  /** Milliseconds that the guest may run without returning. Default 10,000. A call's own deadline ends it before. */
  readonly callTimeoutMs?: number | undefined;
  /** Tables that a module may have. Default 16. */
  readonly maxTables?: number | undefined;
  /** Elements that a table may have. Default 100,000. */
  readonly maxTableElements?: number | undefined;
  /** Instances that share the calls: each goes to the one with the fewest open calls, and a stream stays where it is. Default 1. */
  readonly instances?: number | undefined;
  /** Files for a module that was built for WASI. Default: none. Hosts in Node make them of the folders that they are told to grant. */
  readonly wasiFiles?: WasiFiles | undefined;
}

/** The options with the defaults. */
export interface WasmLimits {
  readonly maxWasmBytes: number;
  readonly maxMemoryBytes: number;
  /** Infinity: no limit. */
  readonly fuel: number;
  readonly callTimeoutMs: number;
  readonly maxTables: number;
  readonly maxTableElements: number;
  readonly instances: number;
  readonly wasiFiles?: WasiFiles | undefined;
}

const defaults: Omit<WasmLimits, "wasiFiles"> = {
  maxWasmBytes: 67_108_864,
  maxMemoryBytes: 268_435_456,
  fuel: Number.POSITIVE_INFINITY,
  callTimeoutMs: 10_000,
  maxTables: 16,
  maxTableElements: 100_000,
  instances: 1,
};

/**
 * Returns the options with the defaults.
 *
 * @throws AnyplugError INVALID_ARGUMENT for one that is no positive number.
 */
export function wasmLimits(options: WasmOptions = {}): WasmLimits {
  const limits = { ...defaults, wasiFiles: options.wasiFiles };
  for (const name of Object.keys(defaults) as (keyof typeof defaults)[]) {
    const value = options[name];
    if (value === undefined) continue;
    if (typeof value !== "number" || !(value > 0)) {
      throw new AnyplugError(Code.InvalidArgument, `wasm.${name}: expected a number over 0, got ${String(value)}`);
    }
    // How long may be said in parts of a millisecond, and anything may be without limit.
    limits[name] = name === "callTimeoutMs" || value === Number.POSITIVE_INFINITY ? value : Math.ceil(value);
  }
  if (Number.isFinite(limits.instances)) return limits;
  throw new AnyplugError(Code.InvalidArgument, "wasm.instances: expected a number, got Infinity");
}

/** Bytes of a page of memory. */
export const pageBytes = 65_536;

/** Which limits hold, each with how. */
export function enforcedBy(isInstrumented: boolean, limits: WasmLimits): readonly string[] {
  const always = ["maxWasmBytes: when loaded"];
  if (!isInstrumented) return always;
  const fuel = limits.fuel === Number.POSITIVE_INFINITY ? [] : ["fuel: instrumented"];
  const caps = ["maxMemoryBytes: instrumented", "maxTables: when loaded", "maxTableElements: instrumented"];
  return [...always, "callTimeout: instrumented", ...fuel, ...caps];
}
