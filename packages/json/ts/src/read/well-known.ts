/** The messages of google.protobuf that have a JSON of their own. */

import type { DescMessage } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { fromMaskText } from "../text/field-mask.js";
import { type Json, JsonNumber, JsonObject } from "../text/json.js";
import { fromDurationText, fromTimestampText, type Seconds } from "../text/time.js";
import { hasOwnJson } from "../well-known.js";
import { isDefault, wireTypeOf, writeScalar } from "../wire.js";
import { checkDepth, type ReadContext } from "./context.js";
import { readMembers, readMessage } from "./message.js";
import { expected, readScalar, readString } from "./scalar.js";

/** Writes the message that JSON means and returns true, if it is one with a JSON of its own. */
export function readWellKnown(type: DescMessage, json: Json, context: ReadContext, depth: number): boolean {
  if (!type.typeName.startsWith("google.protobuf.") || !hasOwnJson(type.typeName)) return false;
  switch (type.typeName) {
    case "google.protobuf.Any":
      readAny(json, context, depth);
      break;
    case "google.protobuf.Timestamp":
      readSeconds(fromTimestampText, 'a time such as "2024-02-29T12:00:00Z"', json, context);
      break;
    case "google.protobuf.Duration":
      readSeconds(fromDurationText, 'a duration such as "1.5s"', json, context);
      break;
    case "google.protobuf.FieldMask":
      readFieldMask(json, context);
      break;
    case "google.protobuf.Struct":
      readStruct(json, context, depth);
      break;
    case "google.protobuf.Value":
      readValue(json, context, depth);
      break;
    case "google.protobuf.ListValue":
      readListValue(json, context, depth);
      break;
    default:
      readWrapper(type, json, context);
  }
  return true;
}

function readSeconds(
  parse: (text: string) => Seconds | undefined,
  what: string,
  json: Json,
  context: ReadContext,
): void {
  const time = typeof json === "string" ? parse(json) : undefined;
  if (time === undefined) throw expected(what, json, context);
  if (time.seconds !== 0n) context.writer.tag(1, WireType.Varint).int64(time.seconds);
  if (time.nanos !== 0) context.writer.tag(2, WireType.Varint).int32(time.nanos);
}

function readFieldMask(json: Json, context: ReadContext): void {
  const text = readString(json, context);
  if (text === "") return;
  for (const part of text.split(",")) {
    const path = fromMaskText(part);
    if (path === undefined) throw expected('paths such as "user.displayName,photo"', json, context);
    context.writer.tag(1, WireType.LengthDelimited).string(path);
  }
}

function readStruct(json: Json, context: ReadContext, depth: number): void {
  if (!(json instanceof JsonObject)) throw expected("an object", json, context);
  const { path, writer } = context;
  const seen = new Set<string>();
  for (const [name, value] of json.members) {
    path.push({ key: name });
    if (seen.has(name)) throw path.fault("the key was there before");
    seen.add(name);
    writer.tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(name);
    writer.tag(2, WireType.LengthDelimited).fork();
    readValue(value, context, depth + 2);
    writer.join().join();
    path.pop();
  }
}

function readListValue(json: Json, context: ReadContext, depth: number): void {
  if (!Array.isArray(json)) throw expected("an array", json, context);
  const { path, writer } = context;
  json.forEach((element: Json, index) => {
    path.push(index);
    writer.tag(1, WireType.LengthDelimited).fork();
    readValue(element, context, depth + 1);
    writer.join();
    path.pop();
  });
}

function readValue(json: Json, context: ReadContext, depth: number): void {
  const { writer } = context;
  checkDepth(context, depth);
  if (json === null) writer.tag(1, WireType.Varint).int32(0);
  else if (json instanceof JsonNumber) {
    const number = Number(json.text);
    if (!Number.isFinite(number)) throw expected("a double", json, context);
    writer.tag(2, WireType.Bit64).double(number);
  } else if (typeof json === "string") writer.tag(3, WireType.LengthDelimited).string(json);
  else if (typeof json === "boolean") writer.tag(4, WireType.Varint).bool(json);
  else {
    const isObject = json instanceof JsonObject;
    checkDepth(context, depth + 1);
    writer.tag(isObject ? 5 : 6, WireType.LengthDelimited).fork();
    if (isObject) readStruct(json, context, depth + 1);
    else readListValue(json, context, depth + 1);
    writer.join();
  }
}

/** A wrapper is its value, which is in its one field. */
function readWrapper(type: DescMessage, json: Json, context: ReadContext): void {
  const [field] = type.fields;
  if (field?.fieldKind !== "scalar") throw context.path.fault(`${type.typeName} is not the one of protobuf`);
  const value = readScalar(field.scalar, json, context);
  if (isDefault(value)) return;
  context.writer.tag(field.number, wireTypeOf(field.scalar));
  writeScalar(context.writer, field.scalar, value);
}

function readAny(json: Json, context: ReadContext, depth: number): void {
  if (!(json instanceof JsonObject)) throw expected("an object", json, context);
  if (json.members.length === 0) return;
  const { path, registry, writer } = context;
  const url = json.members.find(([name]) => name === "@type");
  if (url === undefined) throw path.fault('expected a member "@type" with the URL of a type');
  const rest = json.members.filter((member) => member !== url);
  const [, typeUrl] = path.within("@type", () => {
    const text = readString(url[1], context);
    const slash = text.lastIndexOf("/");
    if (slash < 0) throw expected('the URL of a type, such as "type.googleapis.com/package.Message"', text, context);
    if (rest.some(([name]) => name === "@type")) throw path.fault('the field was set before, by "@type"');
    return [slash, text] as const;
  });
  const name = typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
  const type = registry.getMessage(name);
  if (type === undefined) throw path.within("@type", () => path.fault(`there is no ${name} among the types`));
  writer.tag(1, WireType.LengthDelimited).string(typeUrl);
  writer.tag(2, WireType.LengthDelimited).fork();
  checkDepth(context, depth + 1);
  if (hasOwnJson(name) || isOldEmpty(name, rest)) readAnyValue(type, rest, context, depth);
  else readMembers(type, rest, context, depth + 1);
  writer.join();
}

/** What has a JSON of its own is in the member "value". */
function readAnyValue(type: DescMessage, rest: JsonObject["members"], context: ReadContext, depth: number): void {
  const { path } = context;
  const values = rest.filter(([name]) => name === "value");
  const other = rest.find(([name]) => name !== "value");
  if (other !== undefined && !context.ignoreUnknownMembers) {
    throw path.within(other[0], () => path.fault(`${type.typeName} in an Any has the member "value" alone`));
  }
  const [value, second] = values;
  if (value === undefined) throw path.fault(`expected a member "value" with the ${type.typeName}`);
  path.push("value");
  if (second !== undefined) throw path.fault('the field was set before, by "value"');
  readMessage(type, value[1], context, depth + 1);
  path.pop();
}

/** Some write an Empty like the types with a JSON of their own. */
function isOldEmpty(name: string, rest: JsonObject["members"]): boolean {
  return name === "google.protobuf.Empty" && rest.some(([member]) => member === "value");
}
