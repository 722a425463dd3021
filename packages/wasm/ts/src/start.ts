/** What runs of an instance before all else. */

import type { Compiled } from "./compile.js";
import { CHECKPOINT_TABLE, COUNTER_SET, checkpointFunction, START } from "./instrument.js";
import type { Watch } from "./watch.js";

/** What a module that was built for WASI wants to be called first. */
export const initialize = "_initialize";

/** Lets an instance be asked at its checkpoints, and then runs its start function, and what it wants to be called first. Throws what they throw. */
export function startInstance(
  { isInstrumented, usesWasi }: Compiled,
  exports: WebAssembly.Exports,
  watch: Watch,
  hasInitialize = usesWasi,
): void {
  if (isInstrumented) {
    const table = exports[CHECKPOINT_TABLE] as WebAssembly.Table;
    table.set(0, checkpointFunction(watch.checkpoint));
    table.set(1, checkpointFunction(watch.growthRefused));
    watch.govern(exports[COUNTER_SET] as (units: number) => void);
    watch.begin(undefined);
    (exports[START] as (() => void) | undefined)?.();
  }
  if (hasInitialize && typeof exports[initialize] === "function") exports[initialize]();
}
