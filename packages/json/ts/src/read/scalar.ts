/** Single values of JSON. */

import { type DescEnum, ScalarType } from "@bufbuild/protobuf";
import { fromBase64 } from "../text/base64.js";
import { type Json, JsonNumber, shown } from "../text/json.js";
import { isNumber, toInteger } from "../text/number.js";
import type { Scalar } from "../wire.js";
import type { ReadContext } from "./context.js";

interface IntegerType {
  readonly name: string;
  readonly min: bigint;
  readonly max: bigint;
}

const int32: IntegerType = { name: "an int32", min: -(2n ** 31n), max: 2n ** 31n - 1n };
const uint32: IntegerType = { name: "a uint32", min: 0n, max: 2n ** 32n - 1n };
const int64: IntegerType = { name: "an int64", min: -(2n ** 63n), max: 2n ** 63n - 1n };
const uint64: IntegerType = { name: "a uint64", min: 0n, max: 2n ** 64n - 1n };

const INTEGERS: { readonly [type in ScalarType]?: IntegerType } = {
  [ScalarType.INT32]: int32,
  [ScalarType.SINT32]: int32,
  [ScalarType.SFIXED32]: int32,
  [ScalarType.UINT32]: uint32,
  [ScalarType.FIXED32]: uint32,
  [ScalarType.INT64]: int64,
  [ScalarType.SINT64]: int64,
  [ScalarType.SFIXED64]: int64,
  [ScalarType.UINT64]: uint64,
  [ScalarType.FIXED64]: uint64,
};

const SPECIAL: ReadonlyMap<string, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
]);

/** Returns the value of this type that JSON means. */
export function readScalar(type: ScalarType, json: Json, context: ReadContext): Scalar {
  const integer = INTEGERS[type];
  if (integer !== undefined) return readInteger(integer, json, context);
  switch (type) {
    case ScalarType.BOOL:
      if (typeof json === "boolean") return json;
      throw expected("true or false", json, context);
    case ScalarType.STRING:
      return readString(json, context);
    case ScalarType.BYTES: {
      const bytes = typeof json === "string" ? fromBase64(json) : undefined;
      if (bytes === undefined) throw expected("bytes in base64", json, context);
      return bytes;
    }
    default:
      return readFloat(type === ScalarType.FLOAT, json, context);
  }
}

/** Returns the value of this type that the name of a member means, as a key of a map. */
export function readKey(type: ScalarType, name: string, context: ReadContext): Scalar {
  if (type !== ScalarType.BOOL) return readScalar(type, name, context);
  if (name === "true" || name === "false") return name === "true";
  throw expected('"true" or "false"', name, context);
}

/** Returns the number of the value that JSON means; undefined for a name that the enum does not have, where that is ignored. */
export function readEnum(type: DescEnum, json: Json, context: ReadContext): number | undefined {
  if (json === null && type.typeName === "google.protobuf.NullValue") return 0;
  if (typeof json === "string") {
    const value = type.values.find(({ name }) => name === json);
    if (value !== undefined) return value.number;
    if (context.ignoreUnknownMembers) return undefined;
  } else if (json instanceof JsonNumber) {
    const number = toInteger(json.text);
    const isInt32 = number !== undefined && number >= int32.min && number <= int32.max;
    if (isInt32 && (type.open || type.value[Number(number)] !== undefined)) return Number(number);
    if (isInt32 && context.ignoreUnknownMembers) return undefined;
  }
  throw expected(`a name or number of ${type.typeName}`, json, context);
}

/** Returns a string. */
export function readString(json: Json, context: ReadContext): string {
  if (typeof json !== "string") throw expected("a string", json, context);
  return json;
}

/** Says what was expected, and what was found instead. */
export function expected(what: string, found: Json, { path }: ReadContext): Error {
  return path.fault(`expected ${what}, found ${shown(found)}`);
}

function readInteger({ name, min, max }: IntegerType, json: Json, context: ReadContext): bigint {
  const text = json instanceof JsonNumber ? json.text : typeof json === "string" ? json : "";
  const value = toInteger(text);
  if (value === undefined || value < min || value > max) throw expected(name, json, context);
  return value;
}

function readFloat(isSingle: boolean, json: Json, context: ReadContext): number {
  const special = typeof json === "string" ? SPECIAL.get(json) : undefined;
  if (special !== undefined) return special;
  const text = json instanceof JsonNumber ? json.text : typeof json === "string" && isNumber(json) ? json : "NaN";
  const value = isSingle ? Math.fround(Number(text)) : Number(text);
  if (!Number.isFinite(value)) throw expected(isSingle ? "a float" : "a double", json, context);
  return value;
}
