/** Single values as JSON. */

import { type DescEnum, ScalarType } from "@bufbuild/protobuf";
import { base64Text } from "../text/base64.js";
import { doubleText, floatText } from "../text/number.js";
import type { WriteContext } from "./context.js";
import type { WireValue } from "./scan.js";

/** Returns the JSON of a value of this type. */
export function scalarText(type: ScalarType, value: WireValue): string {
  if (typeof value === "bigint") return `"${value}"`;
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Uint8Array) return `"${base64Text(value)}"`;
  if (typeof value === "boolean") return String(value);
  if (!Number.isFinite(value)) return `"${value}"`;
  return type === ScalarType.FLOAT ? floatText(value) : doubleText(value);
}

/** Returns the name of a map's key in JSON. */
export function keyText(value: WireValue): string {
  return JSON.stringify(String(value));
}

/** Returns the JSON of a number of an enum: its name, where it has one. */
export function enumText(type: DescEnum, value: WireValue, context: WriteContext): string {
  if (type.typeName === "google.protobuf.NullValue") return "null";
  const named = context.enumsAsIntegers ? undefined : type.value[Number(value)];
  return named === undefined ? String(value) : JSON.stringify(named.name);
}
