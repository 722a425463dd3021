/** What writing takes everywhere. */

import type { Registry } from "@bufbuild/protobuf";
import { MAX_DEPTH, type Path } from "../fault.js";

/** One writing of a message. */
export interface WriteContext {
  readonly registry: Registry;
  readonly path: Path;
  readonly protoFieldNames: boolean;
  readonly printDefaults: boolean;
  readonly enumsAsIntegers: boolean;
}

/** Refuses a message that lies this many messages deep, when that is too deep. */
export function checkDepth(context: WriteContext, depth: number): void {
  if (depth > MAX_DEPTH) throw context.path.fault(`nested deeper than ${MAX_DEPTH} messages`);
}
