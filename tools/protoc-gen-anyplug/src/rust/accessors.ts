import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { indent } from "../output.js";
import { type FieldTypes, isText } from "./fields.js";

/** Methods that read and write numbers of enums as the enum, and optional values with their default. */
export function accessors(message: DescMessage, types: FieldTypes): string[] {
  const taken = new Set(ofTraits);
  const fields = message.fields.filter((field) => field.oneof === undefined);
  const methods = fields.flatMap((field) =>
    methodsOf(field, types).flatMap(({ name, lines }) => {
      // A field may be called `set_color` beside `color`: the first has the name.
      if (taken.has(name)) return [];
      taken.add(name);
      return [lines];
    }),
  );
  if (methods.length === 0) return [];
  const body = methods.flatMap((lines, index) => (index > 0 ? ["", ...lines] : lines));
  return ["", `impl ${types.names.type(message)} {`, ...indent(body, "    "), "}"];
}

/** Methods of Clone and prost's Message: one of the message itself would be called instead. */
const ofTraits =
  "clear clone clone_from encode encode_length_delimited encode_raw encode_to_vec encoded_len merge merge_field".split(
    " ",
  );

interface Method {
  readonly name: string;
  readonly lines: readonly string[];
}

function methodsOf(field: DescField, types: FieldTypes): Method[] {
  const member = types.names.member(field);
  const name = member.replace(/^r#/, "");
  if (field.enum === undefined) return isOptionalScalar(field) ? [value(field, member)] : [];
  const path = types.enum(field.enum);
  switch (field.fieldKind) {
    case "map":
      return mapMethods(field, member, name, path, types);
    case "list":
      return [
        method(member, `The values of \`${name}\` that have a name.`, "&self", `impl Iterator<Item = ${path}> + '_`, [
          `self.${member}.iter().filter_map(|number| ${path}::try_from(*number).ok())`,
        ]),
        method(`push_${name}`, `Appends to \`${name}\`.`, `&mut self, value: ${path}`, "", [
          `self.${member}.push(value as i32);`,
        ]),
      ];
    default:
      return enumMethods(field, member, name, path);
  }
}

function enumMethods(field: DescField, member: string, name: string, path: string): Method[] {
  const isOptional = field.presence !== FeatureSet_FieldPresence.IMPLICIT;
  const number = isOptional ? `self.${member}.unwrap_or_default()` : `self.${member}`;
  const set = isOptional ? "::core::option::Option::Some(value as i32)" : "value as i32";
  return [
    method(member, `The value of \`${name}\`; the default where its number has no name.`, "&self", path, [
      `${path}::try_from(${number}).unwrap_or_default()`,
    ]),
    method(`set_${name}`, `Sets \`${name}\`.`, `&mut self, value: ${path}`, "", [`self.${member} = ${set};`]),
  ];
}

function mapMethods(field: DescField, member: string, name: string, path: string, types: FieldTypes): Method[] {
  const isString = field.fieldKind === "map" && field.mapKey === ScalarType.STRING;
  const key = /BTreeMap<([^,]+),/.exec(types.member(field).type)?.[1] ?? "i32";
  const option = `::core::option::Option<${path}>`;
  const named = `.and_then(|number| ${path}::try_from(number).ok())`;
  return [
    method(
      `get_${name}`,
      `The value of \`${name}\` at a key, if it is there and has a name.`,
      `&self, key: ${isString ? "&str" : key}`,
      option,
      [`self.${member}.get(${isString ? "key" : "&key"}).copied()${named}`],
    ),
    method(
      `insert_${name}`,
      `Puts a value into \`${name}\` and returns what was at the key.`,
      `&mut self, key: ${key}, value: ${path}`,
      option,
      [`self.${member}.insert(key, value as i32)${named}`],
    ),
  ];
}

/** A value that may be absent, with the default of its type then. */
function value(field: DescField, member: string): Method {
  const description = `The value of \`${member.replace(/^r#/, "")}\`, or its default where it is absent.`;
  if (!isText(field.scalar)) {
    return method(member, description, "&self", scalarType(field), [`self.${member}.unwrap_or_default()`]);
  }
  const type = field.scalar === ScalarType.STRING ? "&str" : "&[u8]";
  return method(member, description, "&self", type, [`self.${member}.as_deref().unwrap_or_default()`]);
}

function scalarType(field: DescField): string {
  switch (field.scalar) {
    case ScalarType.DOUBLE:
      return "f64";
    case ScalarType.FLOAT:
      return "f32";
    case ScalarType.BOOL:
      return "bool";
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return "i64";
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return "u64";
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return "u32";
    default:
      return "i32";
  }
}

function isOptionalScalar(field: DescField): boolean {
  return field.fieldKind === "scalar" && field.presence !== FeatureSet_FieldPresence.IMPLICIT;
}

function method(
  name: string,
  description: string,
  parameters: string,
  result: string,
  body: readonly string[],
): Method {
  const returns = result === "" ? "" : ` -> ${result}`;
  return {
    name,
    lines: [`/// ${description}`, `pub fn ${name}(${parameters})${returns} {`, ...indent(body, "    "), "}"],
  };
}
