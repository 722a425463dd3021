/**
 * The fingerprint of a service: equal fingerprints say that two peers read each other's bytes alike, so that no
 * descriptors need be compared. It is computed here and only here, and embedded in the generated code.
 *
 * It is the SHA-256, cut to 16 bytes, of a text in which each line says one thing that matters on the wire. Left out is
 * what does not: comments, options, files, the order of declarations, the names of fields, oneofs and enum values, whether a
 * field tracks presence or is packed, and differences that protocol.md's rule FIELD_TYPE calls compatible.
 */
import { createHash } from "node:crypto";
import { type DescField, type DescMessage, type DescService, ScalarType } from "@bufbuild/protobuf";

/** Returns 32 lower-case hex digits. */
export function fingerprintOf(service: DescService): string {
  return createHash("sha256").update(canonicalText(service)).digest("hex").slice(0, 32);
}

/**
 * The text that is hashed:
 *
 *     anyplug fingerprint 1
 *     service a.v1.BService
 *     method Do server_stream a.v1.DoRequest a.v1.DoResponse       in order of their names
 *     message a.v1.DoRequest                                       of all reached, in order of their names
 *     field 1 singular varint                                      in order of their numbers
 *     field 2 repeated message a.v1.Other
 *     field 3 map bytes message a.v1.Other                         the types of key and value
 *     oneof 4 5                                                    of two or more fields, in order of their first
 */
export function canonicalText(service: DescService): string {
  const lines = ["anyplug fingerprint 1", `service ${service.typeName}`];
  const reached = new Map<string, DescMessage>();
  for (const method of [...service.methods].sort((a, b) => compare(a.name, b.name))) {
    lines.push(`method ${method.name} ${kinds[method.methodKind]} ${method.input.typeName} ${method.output.typeName}`);
    reach(method.input, reached);
    reach(method.output, reached);
  }
  for (const message of [...reached.values()].sort((a, b) => compare(a.typeName, b.typeName))) {
    lines.push(textOf(message));
  }
  return `${lines.join("\n")}\n`;
}

const kinds = {
  unary: "unary",
  server_streaming: "server_stream",
  client_streaming: "client_stream",
  bidi_streaming: "bidi_stream",
};

/** The text of each message: many services reach the same. */
const texts = new WeakMap<DescMessage, string>();

function textOf(message: DescMessage): string {
  let text = texts.get(message);
  if (text === undefined) {
    text = linesOf(message).join("\n");
    texts.set(message, text);
  }
  return text;
}

function linesOf(message: DescMessage): string[] {
  const fields = [...message.fields].sort((a, b) => a.number - b.number);
  const oneofs = message.oneofs
    .map((oneof) => oneof.fields.map((field) => field.number).sort((a, b) => a - b))
    .filter((numbers) => numbers.length > 1)
    .sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
  return [
    `message ${message.typeName}`,
    ...fields.map((field) => `field ${field.number} ${cardinality(field)} ${wireType(field)}`),
    ...oneofs.map((numbers) => `oneof ${numbers.join(" ")}`),
  ];
}

function cardinality(field: DescField): string {
  return field.fieldKind === "map" ? "map" : field.fieldKind === "list" ? "repeated" : "singular";
}

function wireType(field: DescField): string {
  const key = field.fieldKind === "map" ? `${scalarClass(field.mapKey)} ` : "";
  if (field.message === undefined) return key + scalarClass(field.scalar);
  const delimited = field.fieldKind !== "map" && field.delimitedEncoding === true;
  return `${key}${delimited ? "group" : "message"} ${field.message.typeName}`;
}

/** The types that a change between is compatible on the wire, by one name. Enums are open, so they are integers. */
function scalarClass(scalar: ScalarType | undefined): string {
  switch (scalar) {
    case ScalarType.SINT32:
    case ScalarType.SINT64:
      return "zigzag";
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return "fixed32";
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return "fixed64";
    case ScalarType.FLOAT:
      return "float";
    case ScalarType.DOUBLE:
      return "double";
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return "bytes";
    default:
      return "varint";
  }
}

function reach(message: DescMessage, reached: Map<string, DescMessage>): void {
  const waiting = [message];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (reached.has(next.typeName)) continue;
    reached.set(next.typeName, next);
    for (const { message: inner } of next.fields) if (inner !== undefined) waiting.push(inner);
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
