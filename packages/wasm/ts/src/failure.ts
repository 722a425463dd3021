/** How a guest failed, in words. */

import { AnyplugError, Code } from "@anyplug/core";
import { pageBytes, type WasmLimits } from "./limits.js";

/** A guest was stopped because its time or its fuel was used up, or it gave a range that it does not have. Thrown through the guest to whoever called it. */
export class Stop extends Error {
  constructor(readonly reason: AnyplugError) {
    super(reason.message);
  }
}

/** It ran longer than it may. */
export function stoppedAfter(name: string, ms: number): AnyplugError {
  return new AnyplugError(Code.DeadlineExceeded, `plugin "${name}" was stopped after ${Math.round(ms)} ms`);
}

/** It has used up a limit. */
export function exhausted(name: string, what: string, option: string): AnyplugError {
  return new AnyplugError(Code.ResourceExhausted, `plugin "${name}" ${what}; raise wasm.${option}`);
}

/** What a guest was built for. */
export type Abi = "embedded" | "Extism";

/** It gave something that the ABI does not allow. */
export function broken(name: string, what: string, abi: Abi = "embedded"): AnyplugError {
  return new AnyplugError(Code.Internal, `plugin "${name}" broke the ${abi} ABI: ${what}`);
}

/** What is known of a guest that trapped. */
export interface Trap {
  readonly name: string;
  readonly limits: WasmLimits;
  /** Bytes of its memory. */
  readonly memoryBytes: number;
}

/** Returns why the guest ended that let `thrown` out. */
export function failureOf(thrown: unknown, { name, limits, memoryBytes }: Trap): AnyplugError {
  if (thrown instanceof Stop) return thrown.reason;
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  // What remains when memory cannot grow any more is mostly `unreachable`.
  if (limits.maxMemoryBytes - memoryBytes < pageBytes) {
    const at = `ended at ${memoryBytes} bytes of memory, the most that it may have: ${why}`;
    return exhausted(name, at, "maxMemoryBytes");
  }
  return new AnyplugError(Code.Internal, `plugin "${name}" trapped: ${why}`, { cause: thrown });
}
