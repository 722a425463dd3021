/** Compares the schemas of two sides, by the rules of section 8 of docs/protocol.md. */

import { Code } from "./code.js";
import { AnyplugError } from "./error.js";
import { type FieldSchema, type MethodSchema, readSchema, type Schema } from "./schema.js";

/** A difference that breaks the wire. */
export type Rule =
  | "METHOD_REMOVED"
  | "METHOD_KIND"
  | "METHOD_TYPE"
  | "FIELD_TYPE"
  | "FIELD_CARDINALITY"
  | "FIELD_ONEOF";

/** One difference: the rule, and where. */
export interface Difference {
  readonly rule: Rule;
  /** The method or field, by its full name. */
  readonly subject: string;
  /** What each side has. */
  readonly explanation: string;
}

/** How many differences an error names; the rest is counted. */
const namedDifferences = 5;

/**
 * Refuses schemas of a service that differ in a way that breaks the wire. Both are a `google.protobuf.FileDescriptorSet` in bytes.
 *
 * @throws AnyplugError FAILED_PRECONDITION, naming rules and fields; INTERNAL when a set cannot be parsed or lacks the service.
 */
export function checkCompatible(service: string, caller: Uint8Array, callee: Uint8Array): void {
  const differences = compareSchemas(service, caller, callee);
  if (differences.length === 0) return;
  const named = differences
    .slice(0, namedDifferences)
    .map(({ rule, subject, explanation }) => `${rule} ${subject}: ${explanation}`);
  if (differences.length > namedDifferences) named.push(`and ${differences.length - namedDifferences} more`);
  const message = `the schemas of ${service} are not compatible: ${named.join("; ")}; generate both sides from one schema`;
  throw new AnyplugError(Code.FailedPrecondition, message);
}

/**
 * Returns all differences of a service's schemas that break the wire.
 *
 * @throws AnyplugError INTERNAL when a set cannot be parsed or lacks the service.
 */
export function compareSchemas(service: string, caller: Uint8Array, callee: Uint8Array): Difference[] {
  const comparison = new Comparison(read(caller, "caller"), read(callee, "callee"));
  const theirs = methodsOf(service, comparison.callee, "callee");
  for (const method of methodsOf(service, comparison.caller, "caller")) {
    const other = theirs.find(({ name }) => name === method.name);
    comparison.method(`${service}/${method.name}`, method, other);
  }
  return comparison.differences;
}

function read(set: Uint8Array, side: string): Schema {
  try {
    return readSchema(set);
  } catch (error) {
    const why = AnyplugError.from(error).message;
    throw new AnyplugError(Code.Internal, `the descriptors of the ${side} cannot be parsed: ${why}`);
  }
}

function methodsOf(service: string, { services }: Schema, side: string): readonly MethodSchema[] {
  const methods = services.get(service);
  if (methods !== undefined) return methods;
  throw new AnyplugError(Code.Internal, `the descriptors of the ${side} lack the service ${service}`);
}

type Pair = readonly [caller: FieldSchema, callee: FieldSchema];

class Comparison {
  readonly differences: Difference[] = [];
  readonly caller: Schema;
  readonly callee: Schema;
  readonly #seen = new Set<string>();

  constructor(caller: Schema, callee: Schema) {
    this.caller = caller;
    this.callee = callee;
  }

  method(subject: string, caller: MethodSchema, callee: MethodSchema | undefined): void {
    if (callee === undefined) return this.#differ("METHOD_REMOVED", subject, "the callee does not have it");
    if (kindOf(caller) !== kindOf(callee)) {
      this.#differ("METHOD_KIND", subject, `${kindOf(caller)} at the caller, ${kindOf(callee)} at the callee`);
    }
    this.#methodType(subject, "request", caller.input, callee.input);
    this.#methodType(subject, "response", caller.output, callee.output);
  }

  #differ(rule: Rule, subject: string, explanation: string): void {
    this.differences.push({ rule, subject, explanation });
  }

  #methodType(subject: string, what: string, caller: string, callee: string): void {
    if (caller === callee) return this.#message(caller, callee);
    this.#differ("METHOD_TYPE", subject, `the ${what} is ${caller} at the caller, ${callee} at the callee`);
  }

  /** Compares two messages by their fields, and the messages of those; each pair once. */
  #message(callerName: string, calleeName: string): void {
    const pending = [[callerName, calleeName] as const];
    for (let names = pending.pop(); names !== undefined; names = pending.pop()) {
      const key = names.join(" ");
      const caller = this.caller.messages.get(names[0]);
      const callee = this.callee.messages.get(names[1]);
      if (this.#seen.has(key) || caller === undefined || callee === undefined) continue;
      this.#seen.add(key);
      const theirs = new Map(callee.map((field) => [field.number, field]));
      const common: Pair[] = [];
      for (const field of caller) {
        const other = theirs.get(field.number);
        if (other === undefined) continue;
        common.push([field, other]);
        if (this.#field(names[0], field, other)) pending.push([field.typeName, other.typeName]);
      }
      this.#oneofs(names[0], common);
    }
  }

  /** Returns whether both fields are messages, which are to be compared too. */
  #field(message: string, caller: FieldSchema, callee: FieldSchema): boolean {
    const subject = `${message}.${caller.name} (field ${caller.number})`;
    const isSame = encodingOf(caller) === encodingOf(callee);
    if (!isSame) {
      this.#differ("FIELD_TYPE", subject, `${typeName(caller)} at the caller, ${typeName(callee)} at the callee`);
    }
    if (cardinalityOf(caller) !== cardinalityOf(callee)) {
      const explanation = `${cardinalityOf(caller)} at the caller, ${cardinalityOf(callee)} at the callee`;
      this.#differ("FIELD_CARDINALITY", subject, explanation);
    }
    return isSame && isMessage(caller);
  }

  /** Fields that both sides have are in one oneof on both, or on neither. */
  #oneofs(message: string, common: readonly Pair[]): void {
    for (const [index, [caller, callee]] of common.entries()) {
      for (const [otherCaller, otherCallee] of common.slice(index + 1)) {
        const atCaller = areTogether(caller, otherCaller);
        if (atCaller === areTogether(callee, otherCallee)) continue;
        const names = `${message}.${caller.name} and ${otherCaller.name}`;
        const numbers = `(fields ${caller.number} and ${otherCaller.number})`;
        this.#differ(
          "FIELD_ONEOF",
          `${names} ${numbers}`,
          `in one oneof at the ${atCaller ? "caller" : "callee"} only`,
        );
      }
    }
  }
}

function kindOf({ clientStreaming, serverStreaming }: MethodSchema): string {
  if (clientStreaming) return serverStreaming ? "bidi_stream" : "client_stream";
  return serverStreaming ? "server_stream" : "unary";
}

const labelRepeated = 3;

function cardinalityOf({ label }: FieldSchema): string {
  return label === labelRepeated ? "repeated" : "single";
}

function areTogether(one: FieldSchema, two: FieldSchema): boolean {
  return one.oneof !== undefined && one.oneof === two.oneof;
}

/** The types by their number in `google.protobuf.FieldDescriptorProto.Type`; those with the same encoding can be read as each other. */
const types: readonly { readonly name: string; readonly encoding: string }[] = [
  { name: "unknown", encoding: "unknown" },
  { name: "double", encoding: "double" },
  { name: "float", encoding: "float" },
  { name: "int64", encoding: "varint" },
  { name: "uint64", encoding: "varint" },
  { name: "int32", encoding: "varint" },
  { name: "fixed64", encoding: "fixed64" },
  { name: "fixed32", encoding: "fixed32" },
  { name: "bool", encoding: "varint" },
  { name: "string", encoding: "bytes" },
  { name: "group", encoding: "group" },
  { name: "message", encoding: "message" },
  { name: "bytes", encoding: "bytes" },
  { name: "uint32", encoding: "varint" },
  { name: "enum", encoding: "varint" },
  { name: "sfixed32", encoding: "fixed32" },
  { name: "sfixed64", encoding: "fixed64" },
  { name: "sint32", encoding: "zigzag" },
  { name: "sint64", encoding: "zigzag" },
];

function encodingOf({ type }: FieldSchema): string {
  return types[type]?.encoding ?? `type ${type}`;
}

function isMessage(field: FieldSchema): boolean {
  return encodingOf(field) === "message" || encodingOf(field) === "group";
}

function typeName({ type, typeName: name }: FieldSchema): string {
  return name === "" ? (types[type]?.name ?? `type ${type}`) : name;
}
