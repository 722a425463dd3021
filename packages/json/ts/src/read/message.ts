/** Messages of JSON. */

import type { DescField, DescMessage, ScalarType } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { isImplicit, membersOf } from "../members.js";
import { type Json, JsonObject, shown } from "../text/json.js";
import { isDefault, type Scalar, wireTypeOf, writeScalar } from "../wire.js";
import { checkDepth, type ReadContext } from "./context.js";
import { expected, readEnum, readKey, readScalar } from "./scalar.js";
import { readWellKnown } from "./well-known.js";

type ListField = DescField & { fieldKind: "list" };
type MapField = DescField & { fieldKind: "map" };

/** Writes the message that JSON means, without tag and length. It lies `depth` messages deep. */
export function readMessage(type: DescMessage, json: Json, context: ReadContext, depth: number): void {
  checkDepth(context, depth);
  if (readWellKnown(type, json, context, depth)) return;
  if (!(json instanceof JsonObject)) throw expected("an object", json, context);
  readMembers(type, json.members, context, depth);
}

/** Writes the fields that members of an object mean, in order of their numbers. */
export function readMembers(
  type: DescMessage,
  members: JsonObject["members"],
  context: ReadContext,
  depth: number,
): void {
  for (const { name, field, json } of resolve(type, members, context)) {
    context.path.push(name);
    readField(field, json, context, depth);
    context.path.pop();
  }
}

interface Resolved {
  readonly name: string;
  readonly field: DescField;
  readonly json: Json;
}

/** Finds the fields of members; those that are null are not set. */
function resolve(type: DescMessage, members: JsonObject["members"], context: ReadContext): Resolved[] {
  const { path, ignoreUnknownMembers } = context;
  const { byName } = membersOf(type);
  const seen = new Map<unknown, string>();
  const resolved: Resolved[] = [];
  for (const [name, json] of members) {
    const field = byName.get(name);
    if (field === undefined) {
      if (ignoreUnknownMembers) continue;
      path.push(name);
      throw path.fault(`${type.typeName} has no such field`);
    }
    claim(field, name, seen, context);
    if (json === null && !takesNull(field)) continue;
    if (field.oneof !== undefined) claim(field.oneof, name, seen, context);
    resolved.push({ name, field, json });
  }
  return resolved.sort((a, b) => a.field.number - b.field.number);
}

/** A field, or a oneof, is set by one member. */
function claim(
  of: { name: string; kind: string },
  name: string,
  seen: Map<unknown, string>,
  { path }: ReadContext,
): void {
  const first = seen.get(of);
  if (first !== undefined) {
    path.push(name);
    const what = of.kind === "oneof" ? `the oneof ${of.name}` : "the field";
    throw path.fault(`${what} was set before, by ${shown(first)}`);
  }
  seen.set(of, name);
}

/** Whether null is a value of the field, and does not stand for its absence. */
function takesNull(field: DescField): boolean {
  if (field.fieldKind === "message") return field.message.typeName === "google.protobuf.Value";
  return field.fieldKind === "enum" && field.enum.typeName === "google.protobuf.NullValue";
}

function readField(field: DescField, json: Json, context: ReadContext, depth: number): void {
  switch (field.fieldKind) {
    case "list":
      return readList(field, json, context, depth);
    case "map":
      return readMap(field, json, context, depth);
    case "message":
      return readChild(field, json, context, depth);
    case "enum": {
      const number = readEnum(field.enum, json, context);
      if (number === undefined || (number === 0 && isImplicit(field))) return;
      context.writer.tag(field.number, WireType.Varint).int32(number);
      return;
    }
    default: {
      const value = readScalar(field.scalar, json, context);
      if (!(isImplicit(field) && isDefault(value))) tagged(field.number, field.scalar, value, context);
    }
  }
}

function readChild(
  field: DescField & { message: DescMessage; delimitedEncoding: boolean },
  json: Json,
  context: ReadContext,
  depth: number,
): void {
  const { writer } = context;
  if (field.delimitedEncoding) {
    writer.tag(field.number, WireType.StartGroup);
    readMessage(field.message, json, context, depth + 1);
    writer.tag(field.number, WireType.EndGroup);
  } else {
    writer.tag(field.number, WireType.LengthDelimited).fork();
    readMessage(field.message, json, context, depth + 1);
    writer.join();
  }
}

function readList(field: ListField, json: Json, context: ReadContext, depth: number): void {
  if (!Array.isArray(json)) throw expected("an array", json, context);
  if (json.length === 0) return;
  const { path, writer } = context;
  if (field.packed) writer.tag(field.number, WireType.LengthDelimited).fork();
  json.forEach((element: Json, index) => {
    path.push(index);
    switch (field.listKind) {
      case "message":
        readChild(field, element, context, depth);
        break;
      case "enum": {
        const number = readEnum(field.enum, element, context);
        if (number === undefined) break;
        if (!field.packed) writer.tag(field.number, WireType.Varint);
        writer.int32(number);
        break;
      }
      default: {
        const value = readScalar(field.scalar, element, context);
        if (!field.packed) writer.tag(field.number, wireTypeOf(field.scalar));
        writeScalar(writer, field.scalar, value);
      }
    }
    path.pop();
  });
  if (field.packed) writer.join();
}

function readMap(field: MapField, json: Json, context: ReadContext, depth: number): void {
  if (!(json instanceof JsonObject)) throw expected("an object", json, context);
  const { path, writer } = context;
  const seen = new Set<Scalar>();
  for (const [name, element] of json.members) {
    path.push({ key: name });
    checkDepth(context, depth + 1);
    const key = readKey(field.mapKey, name, context);
    if (seen.has(key)) throw path.fault("the key was there before");
    seen.add(key);
    const number = field.mapKind === "enum" ? readEnum(field.enum, element, context) : 0;
    if (number !== undefined) {
      writer.tag(field.number, WireType.LengthDelimited).fork();
      tagged(1, field.mapKey, key, context);
      readMapValue(field, element, number, context, depth);
      writer.join();
    }
    path.pop();
  }
}

function readMapValue(field: MapField, json: Json, number: number, context: ReadContext, depth: number): void {
  const { writer } = context;
  switch (field.mapKind) {
    case "message":
      writer.tag(2, WireType.LengthDelimited).fork();
      readMessage(field.message, json, context, depth + 2);
      writer.join();
      return;
    case "enum":
      writer.tag(2, WireType.Varint).int32(number);
      return;
    default:
      tagged(2, field.scalar, readScalar(field.scalar, json, context), context);
  }
}

function tagged(number: number, type: ScalarType, value: Scalar, { writer }: ReadContext): void {
  writer.tag(number, wireTypeOf(type));
  writeScalar(writer, type, value);
}
