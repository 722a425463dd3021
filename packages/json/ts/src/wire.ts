/** Single values on the wire. */

import { ScalarType } from "@bufbuild/protobuf";
import { type BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** A value of a scalar type, read from JSON: all integers are bigints. */
export type Scalar = bigint | number | boolean | string | Uint8Array;

/** Returns how a scalar lies on the wire. */
export function wireTypeOf(type: ScalarType): WireType {
  switch (type) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return WireType.LengthDelimited;
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return WireType.Bit64;
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return WireType.Bit32;
    default:
      return WireType.Varint;
  }
}

/** Whether a value is what a field without presence leaves out. -0 is not. */
export function isDefault(value: Scalar): boolean {
  if (value instanceof Uint8Array) return value.length === 0;
  return Object.is(value, 0) || value === 0n || value === "" || value === false;
}

/** Returns what a field of this type holds when the wire says nothing. */
export function defaultOf(type: ScalarType): Scalar {
  switch (type) {
    case ScalarType.STRING:
      return "";
    case ScalarType.BYTES:
      return new Uint8Array(0);
    case ScalarType.BOOL:
      return false;
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return 0n;
    default:
      return 0;
  }
}

/** Writes a value without its tag. */
export function writeScalar(writer: BinaryWriter, type: ScalarType, value: Scalar): void {
  if (value instanceof Uint8Array) writer.bytes(value);
  else if (typeof value === "string") writer.string(value);
  else if (typeof value === "boolean") writer.bool(value);
  else if (typeof value === "number") type === ScalarType.FLOAT ? writer.float(value) : writer.double(value);
  else writeInteger(writer, type, value);
}

function writeInteger(writer: BinaryWriter, type: ScalarType, value: bigint): void {
  switch (type) {
    case ScalarType.INT32:
      return void writer.int32(Number(value));
    case ScalarType.SINT32:
      return void writer.sint32(Number(value));
    case ScalarType.SFIXED32:
      return void writer.sfixed32(Number(value));
    case ScalarType.UINT32:
      return void writer.uint32(Number(value));
    case ScalarType.FIXED32:
      return void writer.fixed32(Number(value));
    case ScalarType.SINT64:
      return void writer.sint64(value);
    case ScalarType.SFIXED64:
      return void writer.sfixed64(value);
    case ScalarType.UINT64:
      return void writer.uint64(value);
    case ScalarType.FIXED64:
      return void writer.fixed64(value);
    default:
      return void writer.int64(value);
  }
}
