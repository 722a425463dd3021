import type { DescField } from "@bufbuild/protobuf";
import { upperCamelCase } from "../casing.js";
import { indent } from "../output.js";
import { decodeMethod } from "./decode.js";
import type { MessageModule } from "./module.js";
import { typeName } from "./names.js";
import { fieldValue, scalarValue, tagOf, type Value } from "./values.js";

/** The entries of a map, which are messages on the wire; the codec is the module's own. */
export class MapEntry {
  readonly name: string;
  readonly key: Value;
  readonly value: Value;

  constructor(
    field: DescField & { fieldKind: "map" },
    readonly module: MessageModule,
  ) {
    this.name = module.local(`${typeName(field.parent)}_${upperCamelCase(field.name)}Entry`);
    this.key = scalarValue(field.mapKey, module);
    this.value = fieldValue(field, module);
  }

  /** The type of the map. */
  get mapType(): string {
    return `${this.module.global("Map")}<${this.key.type}, ${this.value.type}>`;
  }

  codec(): string[] {
    const { key, value, module } = this;
    const unknown = `${module.global("Uint8Array")}[] | undefined`;
    const type = `{ key: ${key.type}; value: ${value.type}; _unknownFields?: ${unknown} }`;
    const writer = module.wire("BinaryWriter");
    const isSet = value.isSet("message.value");
    const cases = [
      `case ${tagOf({ number: 1 }, key.wireType)}:`,
      `  message.key = ${key.read()};`,
      "  break;",
      `case ${tagOf({ number: 2 }, value.wireType)}:`,
      `  message.value = ${value.read("message.value")};`,
      "  break;",
    ];
    return [
      "",
      `const ${this.name} = {`,
      `  encode(message: ${type}, writer: ${writer}): ${writer} {`,
      `    if (${key.isSet("message.key")}) {`,
      `      ${key.write("message.key", tagOf({ number: 1 }, key.wireType), "key")};`,
      "    }",
      `    if (${isSet}) {`,
      `      ${value.write("message.value", tagOf({ number: 2 }, value.wireType), "value")};`,
      "    }",
      "    for (const field of message._unknownFields ?? []) writer.raw(field);",
      "    return writer;",
      "  },",
      "",
      ...indent(
        decodeMethod(
          `decode(reader: ${module.wire("BinaryReader")} & { depth?: number }, length: number): ${type}`,
          module,
          [
            "const end = reader.pos + length;",
            `const message: ${type} = { key: ${key.empty}, value: ${value.empty} };`,
          ],
          cases,
        ),
        "  ",
      ),
      "};",
    ];
  }
}
