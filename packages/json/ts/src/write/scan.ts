/** Takes the bytes of a message apart, one level deep. */

import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { membersOf } from "../members.js";
import { defaultOf, wireTypeOf } from "../wire.js";
import type { WriteContext } from "./context.js";
import { checkVarint, delimited, skip, WireReader } from "./reader.js";

/** A value on the wire: of a scalar or an enum, or the bytes of a message or of an entry of a map. */
export type WireValue = bigint | number | boolean | string | Uint8Array;

/** The values of a field in their order. Of a singular message they are parts, whose concatenation is the message; else the last counts. */
export type Found = Map<DescField, WireValue[]>;

type MapField = DescField & { fieldKind: "map" };

/** Tells bytes that are not UTF-8. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Returns the fields that the bytes of a message hold; those that the message does not have are skipped. */
export function scan(type: DescMessage, bytes: Uint8Array, context: WriteContext): Found {
  const { byNumber } = membersOf(type);
  const found: Found = new Map();
  const reader = new WireReader(bytes);
  try {
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      const field = byNumber.get(number);
      if (field === undefined || !take(field, wireType, reader, bytes, found)) skip(wireType, number, reader);
    }
  } catch (error) {
    throw broken(error, type.typeName, context);
  }
  return found;
}

/** Returns the entries of a map: of those with one key the last. */
export function scanMap(
  field: MapField,
  entries: readonly WireValue[],
  context: WriteContext,
): Map<WireValue, WireValue> {
  const map = new Map<WireValue, WireValue>();
  for (const entry of entries) scanEntry(field, joined([entry]), map, context);
  return map;
}

function scanEntry(field: MapField, bytes: Uint8Array, map: Map<WireValue, WireValue>, context: WriteContext): void {
  const reader = new WireReader(bytes);
  const type = field.scalar ?? (field.enum === undefined ? ScalarType.BYTES : ScalarType.INT32);
  let key = defaultOf(field.mapKey);
  let values: WireValue[] = [];
  try {
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      if (number === 1 && wireType === wireTypeOf(field.mapKey)) key = readScalar(field.mapKey, reader);
      else if (number !== 2 || wireType !== wireTypeOf(type)) skip(wireType, number, reader);
      else if (field.mapKind === "message") values.push(readScalar(type, reader));
      else values = [readScalar(type, reader)];
    }
  } catch (error) {
    throw broken(error, "an entry", context);
  }
  const value = field.mapKind === "message" ? joined(values) : (values[0] ?? defaultOf(type));
  if (isKnown(field, value)) map.set(key, value);
}

/** Returns the bytes of a message that came in parts. */
export function joined(parts: readonly WireValue[]): Uint8Array {
  const chunks = parts.filter((part) => part instanceof Uint8Array);
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return first;
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

function broken(error: unknown, what: string, { path }: WriteContext): Error {
  return path.fault(`the bytes are not those of ${what}: ${error instanceof Error ? error.message : String(error)}`);
}

/** Takes a value that fits the field. */
function take(field: DescField, wireType: WireType, reader: WireReader, bytes: Uint8Array, found: Found): boolean {
  const scalar = field.fieldKind === "map" ? undefined : (field.scalar ?? (field.enum && ScalarType.INT32));
  if (scalar !== undefined && wireType === wireTypeOf(scalar)) {
    const value = readScalar(scalar, reader);
    if (isKnown(field, value)) add(field, value, found);
    return true;
  }
  if (scalar !== undefined) {
    if (wireType !== WireType.LengthDelimited || field.fieldKind !== "list") return false;
    takePacked(field, scalar, reader, found);
    return true;
  }
  const isGroup = field.fieldKind !== "map" && "delimitedEncoding" in field && field.delimitedEncoding;
  if (wireType === WireType.StartGroup && isGroup) {
    const start = reader.pos;
    skip(wireType, field.number, reader);
    add(field, bytes.subarray(start, reader.pos - tagBytes(field.number)), found);
    return true;
  }
  if (wireType !== WireType.LengthDelimited) return false;
  add(field, delimited(reader), found);
  return true;
}

function takePacked(field: DescField, scalar: ScalarType, reader: WireReader, found: Found): void {
  const packed = new WireReader(delimited(reader));
  while (packed.pos < packed.len) {
    const value = readScalar(scalar, packed);
    if (isKnown(field, value)) add(field, value, found);
  }
}

function add(field: DescField, value: WireValue, found: Found): void {
  const values = found.get(field);
  const isSingle = field.fieldKind === "scalar" || field.fieldKind === "enum";
  if (values !== undefined && !isSingle) {
    values.push(value);
    return;
  }
  if (field.oneof !== undefined) for (const other of field.oneof.fields) if (other !== field) found.delete(other);
  found.set(field, [value]);
}

/** A closed enum has no other numbers than those with names. */
function isKnown(field: DescField, value: WireValue): boolean {
  return field.enum === undefined || field.enum.open || field.enum.value[Number(value)] !== undefined;
}

function tagBytes(number: number): number {
  return number < 1 << 4 ? 1 : number < 1 << 11 ? 2 : number < 1 << 18 ? 3 : number < 1 << 25 ? 4 : 5;
}

function readScalar(type: ScalarType, reader: WireReader): WireValue {
  const start = reader.pos;
  const value = readAny(type, reader);
  if (wireTypeOf(type) === WireType.Varint) checkVarint(reader, start);
  return value;
}

function readAny(type: ScalarType, reader: WireReader): WireValue {
  switch (type) {
    case ScalarType.DOUBLE:
      return reader.double();
    case ScalarType.FLOAT:
      return reader.float();
    case ScalarType.INT64:
      return BigInt(reader.int64());
    case ScalarType.UINT64:
      return BigInt(reader.uint64());
    case ScalarType.SINT64:
      return BigInt(reader.sint64());
    case ScalarType.FIXED64:
      return BigInt(reader.fixed64());
    case ScalarType.SFIXED64:
      return BigInt(reader.sfixed64());
    case ScalarType.INT32:
      return reader.int32();
    case ScalarType.UINT32:
      return reader.uint32();
    case ScalarType.SINT32:
      return reader.sint32();
    case ScalarType.FIXED32:
      return reader.fixed32();
    case ScalarType.SFIXED32:
      return reader.sfixed32();
    case ScalarType.BOOL:
      return reader.bool();
    case ScalarType.STRING:
      return readString(delimited(reader));
    case ScalarType.BYTES:
      return delimited(reader);
  }
}

function readString(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Error("a string is not UTF-8");
  }
}
