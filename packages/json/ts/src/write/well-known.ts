/** The messages of google.protobuf that have a JSON of their own. */

import type { DescMessage } from "@bufbuild/protobuf";
import { maskText } from "../text/field-mask.js";
import { doubleText } from "../text/number.js";
import { durationText, type Seconds, timestampText } from "../text/time.js";
import { hasOwnJson } from "../well-known.js";
import { defaultOf } from "../wire.js";
import { checkDepth, type WriteContext } from "./context.js";
import { membersText, messageText } from "./message.js";
import { keyText, scalarText } from "./scalar.js";
import { joined, scan, scanMap, type WireValue } from "./scan.js";

/** The values of a message by the numbers of its fields. */
type Values = ReadonlyMap<number, readonly WireValue[]>;

/** Returns the JSON of a message, if it is one with a JSON of its own. */
export function wellKnownText(
  type: DescMessage,
  bytes: Uint8Array,
  context: WriteContext,
  depth: number,
): string | undefined {
  if (!type.typeName.startsWith("google.protobuf.") || !hasOwnJson(type.typeName)) return undefined;
  switch (type.typeName) {
    case "google.protobuf.Struct":
      return structText(type, bytes, context, depth);
    case "google.protobuf.Value":
      return valueText(type, bytes, context, depth);
    case "google.protobuf.ListValue":
      return listText(type, bytes, context, depth);
    case "google.protobuf.Any":
      return anyText(valuesOf(type, bytes, context), context, depth);
    case "google.protobuf.FieldMask":
      return fieldMaskText(valuesOf(type, bytes, context), context);
    case "google.protobuf.Timestamp":
      return secondsText(timestampText, "outside the years 1 to 9999", valuesOf(type, bytes, context), context);
    case "google.protobuf.Duration":
      return secondsText(
        durationText,
        "longer than 10,000 years, or of seconds and nanoseconds with different signs",
        valuesOf(type, bytes, context),
        context,
      );
    default:
      return wrapperText(type, bytes, context);
  }
}

function valuesOf(type: DescMessage, bytes: Uint8Array, context: WriteContext): Values {
  return new Map([...scan(type, bytes, context)].map(([field, values]) => [field.number, values]));
}

function secondsText(
  print: (time: Seconds) => string | undefined,
  limits: string,
  values: Values,
  { path }: WriteContext,
): string {
  const seconds = BigInt(String(values.get(1)?.[0] ?? 0));
  const nanos = Number(values.get(2)?.[0] ?? 0);
  const text = print({ seconds, nanos });
  if (text === undefined) throw path.fault(`${seconds} s and ${nanos} ns are ${limits}`);
  return `"${text}"`;
}

function fieldMaskText(values: Values, { path }: WriteContext): string {
  const paths = (values.get(1) ?? []).map((value) => {
    const text = maskText(String(value));
    if (text === undefined) throw path.fault(`${JSON.stringify(value)} has no JSON: it would be read as another path`);
    return text;
  });
  return `"${paths.join(",")}"`;
}

function structText(type: DescMessage, bytes: Uint8Array, context: WriteContext, depth: number): string {
  const [field] = type.fields;
  if (field?.fieldKind !== "map" || field.mapKind !== "message") throw foreign(type, context);
  const byKey = scanMap(field, scan(type, bytes, context).get(field) ?? [], context);
  const members = [...byKey].map(([key, value]) => {
    context.path.push({ key: String(key) });
    const text = messageText(field.message, joined([value]), context, depth + 2);
    context.path.pop();
    return `${keyText(key)}:${text}`;
  });
  return `{${members.join(",")}}`;
}

function listText(type: DescMessage, bytes: Uint8Array, context: WriteContext, depth: number): string {
  const [field] = type.fields;
  if (field?.fieldKind !== "list" || field.listKind !== "message") throw foreign(type, context);
  const values = scan(type, bytes, context).get(field) ?? [];
  const elements = values.map((value, index) => {
    context.path.push(index);
    const text = messageText(field.message, joined([value]), context, depth + 1);
    context.path.pop();
    return text;
  });
  return `[${elements.join(",")}]`;
}

function valueText(type: DescMessage, bytes: Uint8Array, context: WriteContext, depth: number): string {
  const [[field, values] = []] = scan(type, bytes, context);
  const value = values?.[0];
  if (field === undefined || value === undefined) throw context.path.fault("a google.protobuf.Value without a value");
  if (field.message !== undefined) return messageText(field.message, joined(values ?? []), context, depth + 1);
  if (field.fieldKind !== "scalar") return "null";
  if (typeof value !== "number") return scalarText(field.scalar, value);
  if (!Number.isFinite(value)) throw context.path.fault(`${value} has no JSON as a google.protobuf.Value`);
  return doubleText(value);
}

/** A wrapper is its value, which is in its one field. */
function wrapperText(type: DescMessage, bytes: Uint8Array, context: WriteContext): string {
  const [field] = type.fields;
  if (field?.fieldKind !== "scalar") throw foreign(type, context);
  return scalarText(field.scalar, scan(type, bytes, context).get(field)?.[0] ?? defaultOf(field.scalar));
}

function anyText(values: Values, context: WriteContext, depth: number): string {
  const url = String(values.get(1)?.[0] ?? "");
  const bytes = joined(values.get(2) ?? []);
  if (url === "" && bytes.length === 0) return "{}";
  const name = url.slice(url.lastIndexOf("/") + 1);
  const type = url.includes("/") ? context.registry.getMessage(name) : undefined;
  if (type === undefined) throw context.path.fault(`there is no type ${JSON.stringify(url)} among the types`);
  checkDepth(context, depth + 1);
  const members = hasOwnJson(name)
    ? [`"value":${context.path.within("value", () => messageText(type, bytes, context, depth + 1))}`]
    : membersText(type, bytes, context, depth + 1);
  return `{${[`"@type":${JSON.stringify(url)}`, ...members].join(",")}}`;
}

function foreign(type: DescMessage, { path }: WriteContext): Error {
  return path.fault(`the descriptor of ${type.typeName} is not the one of protobuf`);
}
