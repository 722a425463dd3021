/** What reading takes everywhere. */

import type { Registry } from "@bufbuild/protobuf";
import type { BinaryWriter } from "@bufbuild/protobuf/wire";
import { MAX_DEPTH, type Path } from "../fault.js";

/** One reading of a JSON text. */
export interface ReadContext {
  readonly registry: Registry;
  readonly path: Path;
  readonly ignoreUnknownMembers: boolean;
  readonly writer: BinaryWriter;
}

/** Refuses a message that lies this many messages deep, when that is too deep for the wire. */
export function checkDepth(context: ReadContext, depth: number): void {
  if (depth > MAX_DEPTH) throw context.path.fault(`nested deeper than ${MAX_DEPTH} messages`);
}
