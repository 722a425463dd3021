/** Turns the messages that TypeScript has another form for into it, and back: members of their codecs, and their types. */
import type { MessageModule } from "./module.js";

/** The two functions of a codec, as lines, and their signatures. */
export interface Forms {
  readonly signatures: readonly string[];
  readonly functions: readonly string[];
}

/** Returns the functions of a well-known type, or undefined for any other message. */
export function formsOf(typeName: string, module: MessageModule): Forms | undefined {
  const g: MessageModule["global"] = (name) => module.global(name);
  const unknown = "_unknownFields: undefined";
  switch (typeName) {
    case "google.protobuf.Struct":
      return forms("object: { [key: string]: any } | undefined", "Struct", "{ [key: string]: any }", {
        wrap: [`return { fields: new ${g("Map")}(${g("Object")}.entries(object ?? {})), ${unknown} };`],
        // Also a member called __proto__ is one of the object's own.
        unwrap: [`return ${g("Object")}.fromEntries(message.fields);`],
      });
    case "google.protobuf.ListValue":
      return forms(`array: ${g("Array")}<any> | undefined`, "ListValue", `${g("Array")}<any>`, {
        wrap: [`return { values: array ?? [], ${unknown} };`],
        unwrap: ["return message.values;"],
      });
    case "google.protobuf.FieldMask":
      return forms("paths: string[]", "FieldMask", "string[]", {
        wrap: [`return { paths, ${unknown} };`],
        unwrap: ["return message.paths;"],
      });
    case "google.protobuf.Value":
      return forms("value: any", "Value", "any", {
        wrap: [
          "switch (typeof value) {",
          '  case "boolean":',
          `    return { kind: { $case: "boolValue", boolValue: value }, ${unknown} };`,
          '  case "number":',
          `    return { kind: { $case: "numberValue", numberValue: value }, ${unknown} };`,
          '  case "string":',
          `    return { kind: { $case: "stringValue", stringValue: value }, ${unknown} };`,
          '  case "undefined":',
          `    return { kind: undefined, ${unknown} };`,
          '  case "object":',
          `    if (value === null) return { kind: { $case: "nullValue", nullValue: 0 }, ${unknown} };`,
          `    if (${g("Array")}.isArray(value)) return { kind: { $case: "listValue", listValue: value }, ${unknown} };`,
          `    return { kind: { $case: "structValue", structValue: value }, ${unknown} };`,
          "  default:",
          `    throw new ${g("TypeError")}("a " + typeof value + " is no google.protobuf.Value");`,
          "}",
        ],
        unwrap: [
          "switch (message.kind?.$case) {",
          '  case "nullValue":',
          "    return null;",
          '  case "numberValue":',
          "    return message.kind.numberValue;",
          '  case "stringValue":',
          "    return message.kind.stringValue;",
          '  case "boolValue":',
          "    return message.kind.boolValue;",
          '  case "structValue":',
          "    return message.kind.structValue;",
          '  case "listValue":',
          "    return message.kind.listValue;",
          "  default:",
          "    return undefined;",
          "}",
        ],
      });
    default:
      return undefined;
  }
}

function forms(
  parameter: string,
  message: string,
  value: string,
  { wrap, unwrap }: { readonly wrap: readonly string[]; readonly unwrap: readonly string[] },
): Forms {
  const wrapping = `wrap(${parameter}): ${message}`;
  const unwrapping = `unwrap(message: ${message}): ${value}`;
  const body = (lines: readonly string[]) => lines.map((line) => `  ${line}`);
  return {
    signatures: [`${wrapping};`, `${unwrapping};`],
    functions: ["", `${wrapping} {`, ...body(wrap), "},", "", `${unwrapping} {`, ...body(unwrap), "},"],
  };
}
