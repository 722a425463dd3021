/** How a guest failed, in words. */

import { AnyplugError, Code } from "@anyplug/core";
import type { WasmLimits } from "./limits.js";
import type { Refused } from "./watch.js";

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
  /** What it wanted before, and did not get. */
  readonly refused: Refused | undefined;
}

/** Returns why the guest ended that let `thrown` out. */
export function failureOf(thrown: unknown, { name, limits, refused }: Trap): AnyplugError {
  if (thrown instanceof Stop) return thrown.reason;
  if (refused !== undefined) return wantedTooMuch(name, refused, limits);
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new AnyplugError(Code.Internal, `plugin "${name}" trapped: ${why}`, { cause: thrown });
}

function wantedTooMuch(name: string, refused: Refused, limits: WasmLimits): AnyplugError {
  const isMemory = "bytes" in refused;
  const wants = isMemory ? `${refused.bytes} bytes of memory` : `a table of ${refused.elements} elements`;
  const option = isMemory ? "maxMemoryBytes" : "maxTableElements";
  const most = limits[option];
  if ((isMemory ? refused.bytes : refused.elements) > most) {
    return exhausted(name, `ended: it wants ${wants}, and may have ${most}`, option);
  }
  // Its own maximum was lower, or the machine has no more.
  return new AnyplugError(Code.ResourceExhausted, `plugin "${name}" ended: it wants ${wants}, and did not get it`);
}
