/** Reads of a `google.protobuf.FileDescriptorSet` what comparing schemas takes: services, methods, messages, fields. */

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { MessageReader } from "./codec/reader.js";

/** A field of a message. Type and label are the numbers of `google.protobuf.FieldDescriptorProto`. */
export interface FieldSchema {
  name: string;
  number: number;
  label: number;
  type: number;
  /** The full name of its message or enum, without the leading dot; else empty. */
  typeName: string;
  /** Which oneof of its message it is in, if any. */
  oneof: number | undefined;
}

/** A method of a service. */
export interface MethodSchema {
  name: string;
  /** Full names, without the leading dot. */
  input: string;
  output: string;
  clientStreaming: boolean;
  serverStreaming: boolean;
}

/** Messages and services by full name, without the leading dot. */
export interface Schema {
  readonly messages: ReadonlyMap<string, readonly FieldSchema[]>;
  readonly services: ReadonlyMap<string, readonly MethodSchema[]>;
}

/**
 * Reads a descriptor set.
 *
 * @throws Error when the bytes are none.
 */
export function readSchema(set: Uint8Array): Schema {
  const messages = new Map<string, readonly FieldSchema[]>();
  const services = new Map<string, readonly MethodSchema[]>();
  for (const file of filesOf(set)) {
    const members = { scope: "", messages: [] as Uint8Array[], services: [] as Uint8Array[] };
    eachField(file, {
      2: (reader) => {
        members.scope = reader.string();
      },
      4: (reader) => members.messages.push(reader.bytes()),
      6: (reader) => members.services.push(reader.bytes()),
    });
    for (const message of members.messages) readMessage(message, members.scope, messages);
    for (const service of members.services) readService(service, members.scope, services);
  }
  return { messages, services };
}

/**
 * Returns one set of the files of all sets; of files with one name the first. Imports stay before what imports them.
 *
 * @throws Error when the bytes of a set are none.
 */
export function mergeDescriptorSets(sets: readonly Uint8Array[]): Uint8Array {
  const writer = new BinaryWriter();
  const names = new Set<string>();
  for (const file of sets.flatMap(filesOf)) {
    let name = "";
    eachField(file, {
      1: (reader) => {
        name = reader.string();
      },
    });
    if (names.has(name)) continue;
    names.add(name);
    writer.tag(1, WireType.LengthDelimited).bytes(file);
  }
  return writer.finish();
}

function filesOf(set: Uint8Array): Uint8Array[] {
  const files: Uint8Array[] = [];
  eachField(set, { 1: (reader) => files.push(reader.bytes()) });
  return files;
}

function readMessage(bytes: Uint8Array, scope: string, messages: Map<string, readonly FieldSchema[]>): void {
  const fields: FieldSchema[] = [];
  const nested: Uint8Array[] = [];
  let name = "";
  eachField(bytes, {
    1: (reader) => {
      name = join(scope, reader.string());
    },
    2: (reader) => fields.push(readField(reader.bytes())),
    3: (reader) => nested.push(reader.bytes()),
  });
  messages.set(name, fields);
  for (const message of nested) readMessage(message, name, messages);
}

function readField(bytes: Uint8Array): FieldSchema {
  const field: FieldSchema = { name: "", number: 0, label: 0, type: 0, typeName: "", oneof: undefined };
  eachField(bytes, {
    1: (reader) => {
      field.name = reader.string();
    },
    3: (reader) => {
      field.number = reader.int32();
    },
    4: (reader) => {
      field.label = reader.int32();
    },
    5: (reader) => {
      field.type = reader.int32();
    },
    6: (reader) => {
      field.typeName = withoutDot(reader.string());
    },
    9: (reader) => {
      field.oneof = reader.int32();
    },
  });
  return field;
}

function readService(bytes: Uint8Array, scope: string, services: Map<string, readonly MethodSchema[]>): void {
  const methods: MethodSchema[] = [];
  let name = "";
  eachField(bytes, {
    1: (reader) => {
      name = join(scope, reader.string());
    },
    2: (reader) => methods.push(readMethod(reader.bytes())),
  });
  services.set(name, methods);
}

function readMethod(bytes: Uint8Array): MethodSchema {
  const method: MethodSchema = { name: "", input: "", output: "", clientStreaming: false, serverStreaming: false };
  eachField(bytes, {
    1: (reader) => {
      method.name = reader.string();
    },
    2: (reader) => {
      method.input = withoutDot(reader.string());
    },
    3: (reader) => {
      method.output = withoutDot(reader.string());
    },
    5: (reader) => {
      method.clientStreaming = reader.bool();
    },
    6: (reader) => {
      method.serverStreaming = reader.bool();
    },
  });
  return method;
}

/** Reads the fields of a message by their numbers; others are skipped. */
function eachField(bytes: Uint8Array, read: Readonly<Record<number, (reader: MessageReader) => unknown>>): void {
  const reader = new MessageReader();
  reader.reset(bytes, 0, bytes.length);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const take = read[number];
    if (take === undefined) reader.skip(wireType, number);
    else take(reader);
  }
}

function join(scope: string, name: string): string {
  return scope === "" ? name : `${scope}.${name}`;
}

function withoutDot(name: string): string {
  return name.startsWith(".") ? name.slice(1) : name;
}
