/** The fields of a message by what JSON and the wire call them. */

import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";

/** The fields of a message. */
export interface Members {
  /** By both spellings: that of JSON and that of the schema. */
  readonly byName: ReadonlyMap<string, DescField>;
  readonly byNumber: ReadonlyMap<number, DescField>;
  /** In order of their numbers. */
  readonly sorted: readonly DescField[];
}

const known = new WeakMap<DescMessage, Members>();

/** Returns the fields of a message, put together when they are first asked for. */
export function membersOf(type: DescMessage): Members {
  let members = known.get(type);
  if (members === undefined) {
    const sorted = [...type.fields].sort((a, b) => a.number - b.number);
    const byName = new Map(sorted.map((field) => [field.name, field]));
    for (const field of sorted) byName.set(field.jsonName, field);
    members = { sorted, byName, byNumber: new Map(sorted.map((field) => [field.number, field])) };
    known.set(type, members);
  }
  return members;
}

/** Whether the field is there whenever it does not hold its default: of a field of proto3 that is not `optional`. */
export function isImplicit(field: DescField): boolean {
  return field.presence === FeatureSet_FieldPresence.IMPLICIT;
}
