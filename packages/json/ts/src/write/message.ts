/** Messages as JSON. */

import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { isImplicit, membersOf } from "../members.js";
import { defaultOf, isDefault } from "../wire.js";
import { checkDepth, type WriteContext } from "./context.js";
import { enumText, keyText, scalarText } from "./scalar.js";
import { type Found, joined, scan, scanMap, type WireValue } from "./scan.js";
import { wellKnownText } from "./well-known.js";

type MapField = DescField & { fieldKind: "map" };

/** Returns the JSON of the message that lies `depth` messages deep. */
export function messageText(type: DescMessage, bytes: Uint8Array, context: WriteContext, depth: number): string {
  checkDepth(context, depth);
  return wellKnownText(type, bytes, context, depth) ?? `{${membersText(type, bytes, context, depth).join(",")}}`;
}

/** Returns the members of the object that a message is, in order of their numbers. */
export function membersText(type: DescMessage, bytes: Uint8Array, context: WriteContext, depth: number): string[] {
  const found = scan(type, bytes, context);
  return fieldsOf(type, found, context).flatMap((field) => {
    context.path.push(field.name);
    const text = fieldText(field, found.get(field) ?? [], context, depth);
    context.path.pop();
    return text === undefined ? [] : [`${nameText(field, context)}:${text}`];
  });
}

function fieldsOf(type: DescMessage, found: Found, context: WriteContext): readonly DescField[] {
  const { sorted } = membersOf(type);
  if (context.printDefaults) return sorted;
  return found.size === 0 ? [] : sorted.filter((field) => found.has(field));
}

function nameText(field: DescField, context: WriteContext): string {
  return JSON.stringify(context.protoFieldNames ? field.name : field.jsonName);
}

/** Undefined for a field that is not printed. */
function fieldText(
  field: DescField,
  values: readonly WireValue[],
  context: WriteContext,
  depth: number,
): string | undefined {
  if (field.fieldKind === "map") return mapText(field, values, context, depth);
  if (field.fieldKind === "list") {
    if (values.length === 0 && !context.printDefaults) return undefined;
    const elements = values.map((value, index) => {
      context.path.push(index);
      const text = valueText(field, value, context, depth);
      context.path.pop();
      return text;
    });
    return `[${elements.join(",")}]`;
  }
  if (field.fieldKind === "message") {
    return values.length === 0 ? undefined : messageText(field.message, joined(values), context, depth + 1);
  }
  const value = values[0] ?? (isImplicit(field) ? implicitDefault(field) : undefined);
  if (value === undefined) return undefined;
  if (!context.printDefaults && isImplicit(field) && isDefault(value)) return undefined;
  return valueText(field, value, context, depth);
}

/** One value of a field that is no map. */
function valueText(
  field: Exclude<DescField, MapField>,
  value: WireValue,
  context: WriteContext,
  depth: number,
): string {
  if (field.message !== undefined) return messageText(field.message, joined([value]), context, depth + 1);
  if (field.enum !== undefined) return enumText(field.enum, value, context);
  return scalarText(field.scalar, value);
}

function implicitDefault(field: DescField): WireValue {
  return field.scalar === undefined ? 0 : defaultOf(field.scalar);
}

function mapText(
  field: MapField,
  entries: readonly WireValue[],
  context: WriteContext,
  depth: number,
): string | undefined {
  const byKey = scanMap(field, entries, context);
  if (byKey.size === 0 && !context.printDefaults) return undefined;
  checkDepth(context, depth + 1);
  const members = [...byKey].map(([key, value]) => {
    context.path.push({ key: String(key) });
    const text = mapValueText(field, value, context, depth);
    context.path.pop();
    return `${keyText(key)}:${text}`;
  });
  return `{${members.join(",")}}`;
}

function mapValueText(field: MapField, value: WireValue, context: WriteContext, depth: number): string {
  if (field.mapKind === "message") return messageText(field.message, joined([value]), context, depth + 2);
  if (field.mapKind === "enum") return enumText(field.enum, value, context);
  return scalarText(field.scalar, value);
}
