import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { lowerCamelCase } from "../casing.js";
import { commentOf } from "../source.js";
import { docComment } from "./comment.js";
import { MapEntry } from "./entries.js";
import type { MessageModule } from "./module.js";
import { fieldValue, tagOf, type Value } from "./values.js";

/** A member of a message: a field, or a oneof. What it returns are lines of code. */
export interface Member {
  readonly name: string;
  /** What the member is in the interface: `text: string;`. */
  declaration(): string[];
  /** What it is in an empty message. */
  zero(): string;
  encode(): string[];
  /** The cases of its tags. */
  decode(): string[];
  fromPartial(): string[];
  /** The codec that it needs beside that of its message, if it needs one. */
  codec?(): string[];
}

/** The members of a message in the order of its fields; a oneof is where its first field is. */
export function membersOf(message: DescMessage, module: MessageModule): Member[] {
  const names = fieldNames(message);
  const name = (of: { readonly name: string }) => names.get(of.name) ?? of.name;
  return message.members.map((member) => {
    if (member.kind === "oneof") {
      const fields = member.fields.map((field) => ({ name: name(field), field }));
      return new OneofMember(name(member), fields, module);
    }
    switch (member.fieldKind) {
      case "list":
        return new ListMember(name(member), member, fieldValue(member, module), module);
      case "map":
        return new MapMember(name(member), member, module);
      default:
        return new SingleMember(name(member), member, fieldValue(member, module));
    }
  });
}

/** The names of fields and oneofs in TypeScript: those that would be alike keep the names of the schema. */
function fieldNames({ fields, oneofs }: DescMessage): Map<string, string> {
  const all = [...fields, ...oneofs].map(({ name }) => name);
  const counts = new Map<string, number>();
  for (const name of all.map(lowerCamelCase)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return new Map(all.map((name) => [name, counts.get(lowerCamelCase(name)) === 1 ? lowerCamelCase(name) : name]));
}

class SingleMember implements Member {
  readonly #tag: number;
  /** Whether it is absent unless it was set. */
  readonly #isOptional: boolean;

  constructor(
    readonly name: string,
    readonly field: DescField,
    readonly value: Value,
  ) {
    this.#tag = tagOf(field, value.wireType);
    this.#isOptional = field.presence !== FeatureSet_FieldPresence.IMPLICIT;
  }

  declaration(): string[] {
    if (!this.#isOptional) return [`${this.name}: ${this.value.type};`];
    return [`${this.name}${this.value.isMessage ? "" : "?"}: ${this.value.type} | undefined;`];
  }

  zero(): string {
    return this.#isOptional ? "undefined" : this.value.zero;
  }

  encode(): string[] {
    const member = `message.${this.name}`;
    const isSet = this.#isOptional ? `${member} !== undefined` : this.value.isSet(member);
    return [`if (${isSet}) {`, `  ${this.value.write(member, this.#tag, this.name)};`, "}"];
  }

  decode(): string[] {
    const member = `message.${this.name}`;
    return [`case ${this.#tag}:`, `  ${member} = ${this.value.read(member)};`, "  break;"];
  }

  fromPartial(): string[] {
    const given = `object.${this.name}`;
    const copy = this.value.copy(given);
    // null stands for absence, but for a Value it is one.
    if (copy === given)
      return [`message.${this.name} = ${given}${this.value.type === "any" ? "" : ` ?? ${this.zero()}`};`];
    return [`message.${this.name} = ${given} === undefined || ${given} === null ? ${this.zero()} : ${copy};`];
  }
}

class ListMember implements Member {
  constructor(
    readonly name: string,
    readonly field: DescField & { fieldKind: "list" },
    readonly value: Value,
    readonly module: MessageModule,
  ) {}

  declaration(): string[] {
    return [`${this.name}: ${this.value.type}[];`];
  }

  zero(): string {
    return "[]";
  }

  encode(): string[] {
    const member = `message.${this.name}`;
    if (!this.field.packed) {
      const tag = tagOf(this.field, this.value.wireType);
      return [`for (const value of ${member}) {`, `  ${this.value.write("value", tag, this.name)};`, "}"];
    }
    return [
      `if (${member}.length !== 0) {`,
      `  writer.uint32(${tagOf(this.field, 2)}).fork();`,
      `  for (const value of ${member}) {`,
      `    ${this.value.writePacked("value", this.name)};`,
      "  }",
      "  writer.join();",
      "}",
    ];
  }

  decode(): string[] {
    const push = `message.${this.name}.push(${this.value.read()});`;
    const one = [`case ${tagOf(this.field, this.value.wireType)}:`, `  ${push}`, "  break;"];
    if (!this.value.isPackable) return one;
    return [
      ...one,
      `case ${tagOf(this.field, 2)}: {`,
      `  const last = ${this.module.helper("readLength")}(reader) + reader.pos;`,
      "  while (reader.pos < last) {",
      `    ${push}`,
      "  }",
      `  ${this.module.helper("expectEnd")}(reader, last);`,
      "  break;",
      "}",
    ];
  }

  fromPartial(): string[] {
    const copy = this.value.copy("value");
    const all = copy === "value" ? `[...object.${this.name}]` : `object.${this.name}.map((value) => ${copy})`;
    return [`message.${this.name} = object.${this.name} ? ${all} : [];`];
  }
}

class MapMember implements Member {
  readonly #entry: MapEntry;

  constructor(
    readonly name: string,
    readonly field: DescField & { fieldKind: "map" },
    readonly module: MessageModule,
  ) {
    this.#entry = new MapEntry(field, module);
  }

  declaration(): string[] {
    return [`${this.name}: ${this.#entry.mapType};`];
  }

  zero(): string {
    return `new ${this.module.global("Map")}()`;
  }

  encode(): string[] {
    const tag = tagOf(this.field, 2);
    return [
      `for (const [key, value] of message.${this.name}) {`,
      `  ${this.#entry.name}.encode({ key, value }, writer.uint32(${tag}).fork()).join();`,
      "}",
    ];
  }

  decode(): string[] {
    const unknown = `${this.#entry.name}.encode(entry, new ${this.module.wire("BinaryWriter")}()).finish()`;
    return [
      `case ${tagOf(this.field, 2)}: {`,
      `  const entry = ${this.#entry.name}.decode(reader, ${this.module.helper("readLength")}(reader));`,
      "  if (entry._unknownFields === undefined) {",
      `    message.${this.name}.set(entry.key, entry.value);`,
      "  } else {",
      "    // An entry with more than key and value is an unknown field: nothing of it is lost.",
      `    const field = new ${this.module.wire("BinaryWriter")}().uint32(tag).bytes(${unknown}).finish();`,
      "    (message._unknownFields ??= []).push(field);",
      "  }",
      "  break;",
      "}",
    ];
  }

  fromPartial(): string[] {
    const { mapType, key, value } = this.#entry;
    return [
      `for (const [key, value] of (object.${this.name} as ${mapType} | undefined) ?? []) {`,
      `  if (value !== undefined) message.${this.name}.set(${key.copy("key")}, ${value.copy("value")});`,
      "}",
    ];
  }

  codec(): string[] {
    return this.#entry.codec();
  }
}

class OneofMember implements Member {
  readonly #choices: readonly {
    readonly name: string;
    readonly tag: number;
    readonly value: Value;
    readonly field: DescField;
  }[];

  constructor(
    readonly name: string,
    fields: readonly { readonly name: string; readonly field: DescField }[],
    readonly module: MessageModule,
  ) {
    this.#choices = fields.map(({ name: choice, field }) => {
      const value = fieldValue(field, module);
      return { name: choice, tag: tagOf(field, value.wireType), value, field };
    });
  }

  declaration(): string[] {
    return [
      `${this.name}:`,
      ...this.#choices.flatMap(({ name, value, field }) => [
        ...docComment(commentOf(field), field.deprecated).map((line) => `  ${line}`),
        `  | { $case: "${name}"; ${name}: ${value.type} }`,
      ]),
      "  | undefined;",
    ];
  }

  zero(): string {
    return "undefined";
  }

  encode(): string[] {
    return [
      `switch (message.${this.name}?.$case) {`,
      ...this.#choices.flatMap(({ name, tag, value }) => [
        `  case "${name}":`,
        `    ${value.write(`message.${this.name}.${name}`, tag, name)};`,
        "    break;",
      ]),
      "}",
    ];
  }

  decode(): string[] {
    const member = `message.${this.name}`;
    return this.#choices.flatMap(({ name, tag, value }) => {
      const set = (read: string) => `${member} = { $case: "${name}", ${name}: ${read} };`;
      if (!value.isMessage) return [`case ${tag}:`, `  ${set(value.read())}`, "  break;"];
      return [
        `case ${tag}: {`,
        `  const held = ${member}?.$case === "${name}" ? ${member}.${name} : undefined;`,
        `  ${set(value.read("held"))}`,
        "  break;",
        "}",
      ];
    });
  }

  fromPartial(): string[] {
    const given = `object.${this.name}`;
    return [
      `switch (${given}?.$case) {`,
      ...this.#choices.flatMap(({ name, value }) => {
        const set = `message.${this.name} = { $case: "${name}", ${name}: ${value.copy(`${given}.${name}`)} };`;
        // null is a Value.
        const test =
          value.type === "any"
            ? `${given}.${name} !== undefined`
            : `${given}.${name} !== undefined && ${given}.${name} !== null`;
        return [`  case "${name}":`, `    if (${test}) {`, `      ${set}`, "    }", "    break;"];
      }),
      "}",
    ];
  }
}
