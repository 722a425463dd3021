import type { DescEnum, DescEnumValue, DescField, DescFile, DescMessage } from "@bufbuild/protobuf";
import { betterprotoClassName, betterprotoSnakeCase } from "../casing.js";
import { list, type Problems } from "../refusal.js";
import { fileName, localName, placeOf } from "../source.js";

const keywords = new Set(
  (
    "False None True and as assert async await break class continue def del elif else except finally for from global if " +
    "import in is lambda nonlocal not or pass raise return try while with yield"
  ).split(" "),
);

/** What every message has, and what its module calls by these names. */
const members = new Set(
  (
    "FromString SerializeToString dump from_dict from_json is_set load parse to_dict to_json " +
    "_abc_impl _betterproto _betterproto_meta _builtins _cls_for _datetime _from_dict_init _get_field_default _is_pydantic " +
    "_postprocess_single _type_hint _type_hints _unknown_fields _v1 _validate _validate_field_groups default_message_pool"
  ).split(" "),
);

/** What every member of an enum has. */
const enumMembers = new Set(
  (
    "as_integer_ratio bit_count bit_length conjugate denominator from_bytes from_string imag is_integer mro name numerator " +
    "proto_name real to_bytes value betterproto_renamed_proto_names_to_value betterproto_value_to_renamed_proto_names"
  ).split(" "),
);

/** Whether a name cannot be used at all. */
export function isKeyword(name: string): boolean {
  return keywords.has(name);
}

/** A name that a method can have. */
export function methodName(name: string): string {
  if (keywords.has(name)) return `${name}_`;
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

/** A name that an attribute can have. In the body of a class, Python changes names that begin with two underscores and do not end with two. */
function attributeName(name: string): string {
  if (name.startsWith("__")) return name.endsWith("__") ? `${name}_` : `${name}__`;
  return members.has(name) ? `${name}_` : methodName(name);
}

/** What the names of an enum's values begin with, as betterproto2 sees it: the name of the enum, if all begin with it. */
function valuePrefix(type: DescEnum): string {
  const wanted = type.name.replaceAll("_", "").toLowerCase();
  const first = type.values[0]?.name ?? "";
  const length =
    [...first].findIndex(
      (_, at) =>
        first
          .slice(0, at + 1)
          .replaceAll("_", "")
          .toLowerCase() === wanted,
    ) + 1;
  const prefix = `${first.slice(0, length)}_`;
  return length > 0 && type.values.every(({ name }) => name.startsWith(prefix)) ? prefix : "";
}

/** The name of an enum's value without the prefix. */
function valueName(value: DescEnumValue, prefix: string): string {
  const name = value.name.slice(prefix.length);
  if (name === "" || /^[0-9]/.test(name)) return `_${name}`;
  // What is between underscores is Python's own in an enum, and what begins with two is private to a class.
  if (/^_.*_$|^__/.test(name)) return value.name.replace(/^_+|_+$/g, "") || "UNDERSCORE";
  return keywords.has(name) || enumMembers.has(name) ? `${name}_` : name;
}

/** The names of a schema's types, fields and values in Python, as betterproto2 gives them where that is possible. */
export class PythonNames {
  readonly #classes = new Map<DescMessage | DescEnum, string>();
  readonly #attributes = new Map<DescField, string>();
  readonly #values = new Map<DescEnumValue, string>();

  /** Names what is in the files; what has no name that is its own goes to the problems. */
  constructor(files: Iterable<DescFile>, problems: Problems) {
    const packages = new Map<string, (DescMessage | DescEnum)[]>();
    for (const file of files) {
      checkPackage(file, problems);
      const types = packages.get(file.proto.package) ?? [];
      packages.set(file.proto.package, types);
      types.push(...file.messages.flatMap(withNested), ...file.enums);
    }
    for (const types of packages.values()) {
      this.#nameTypes(types, problems);
      for (const type of types) {
        if (type.kind === "message") this.#nameFields(type, problems);
        else this.#nameValues(type, problems);
      }
    }
  }

  /** The class of a message or enum: nested ones are at the top of their package's module too. */
  class(type: DescMessage | DescEnum): string {
    return this.#classes.get(type) ?? className(localName(type));
  }

  /** The attribute of a field. */
  attribute(field: DescField): string {
    return this.#attributes.get(field) ?? attributeName(betterprotoSnakeCase(field.name));
  }

  /** The member of an enum for a value. */
  value(value: DescEnumValue): string {
    return this.#values.get(value) ?? valueName(value, valuePrefix(value.parent));
  }

  /** Where `Outer.Inner` and `OuterInner` would both be `OuterInner`, the nested one is `Outer_Inner`. */
  #nameTypes(types: readonly (DescMessage | DescEnum)[], problems: Problems): void {
    const plain = groups(types, (type) => className(localName(type)));
    const name = (type: DescMessage | DescEnum) => {
      const common = className(localName(type));
      const alone = (plain.get(common)?.length ?? 0) === 1 || type.parent === undefined;
      return alone ? common : localName(type).split(".").map(className).join("_");
    };
    for (const [own, same] of groups(types, name)) {
      for (const type of same) this.#classes.set(type, own);
      if (same.length < 2) continue;
      problems.add(
        `${same.map(placeOf).join(", ")}: ${list(same.map((type) => type.typeName))} would all be class ${own} in Python. ` +
          "Rename all but one of them.",
      );
    }
  }

  /** Where `someURL` and `some_url` would both be `some_url`, each keeps its name in the schema. */
  #nameFields(message: DescMessage, problems: Problems): void {
    const adapted = groups(message.fields, (field) => attributeName(betterprotoSnakeCase(field.name)));
    const name = (field: DescField) => {
      const common = attributeName(betterprotoSnakeCase(field.name));
      return (adapted.get(common)?.length ?? 0) === 1 ? common : attributeName(field.name);
    };
    for (const [own, same] of groups(message.fields, name)) {
      for (const field of same) this.#attributes.set(field, own);
      if (same.length < 2) continue;
      problems.add(
        `${same.map(placeOf).join(", ")}: fields ${list(same.map((field) => field.name))} of ${message.typeName} would all be ` +
          `attribute ${own} in Python. Rename all but one of them.`,
      );
    }
  }

  /** Where values would get one name in Python, each keeps its name in the schema. */
  #nameValues(type: DescEnum, problems: Problems): void {
    const shortened = groups(type.values, (value) => valueName(value, valuePrefix(type)));
    const name = (value: DescEnumValue) => {
      const short = valueName(value, valuePrefix(type));
      return (shortened.get(short)?.length ?? 0) === 1 ? short : valueName(value, "");
    };
    for (const [own, same] of groups(type.values, name)) {
      for (const value of same) this.#values.set(value, own);
      if (same.length < 2) continue;
      problems.add(
        `${same.map(placeOf).join(", ")}: values ${list(same.map((value) => value.name))} of ${type.typeName} would all be ` +
          `${own} in Python. Rename all but one of them.`,
      );
    }
  }
}

function className(local: string): string {
  const name = betterprotoClassName(local);
  if (/^[0-9]/.test(name) || name === "") return `_${name}`;
  return keywords.has(name) ? `${name}_` : name;
}

function groups<T>(items: readonly T[], name: (item: T) => string): Map<string, T[]> {
  const result = new Map<string, T[]>();
  for (const item of items) {
    const own = name(item);
    const same = result.get(own);
    if (same === undefined) result.set(own, [item]);
    else same.push(item);
  }
  return result;
}

/** A message, and the messages and enums in it. */
export function withNested(message: DescMessage): (DescMessage | DescEnum)[] {
  return [message, ...message.nestedMessages.flatMap(withNested), ...message.nestedEnums];
}

function checkPackage(file: DescFile, problems: Problems): void {
  const parts = file.proto.package.split(".");
  const keyword = parts.find(isKeyword);
  if (keyword !== undefined) {
    problems.add(
      `${fileName(file)}: Python cannot import package ${file.proto.package}, since "${keyword}" is a keyword. Rename that part of the package.`,
    );
  }
  if (parts[0] === "message_pool" || parts.some((part) => part === "_anyplug_table")) {
    problems.add(
      `${fileName(file)}: package ${file.proto.package} is called like a module that is generated for Python. Rename it.`,
    );
  }
}

/** The module of a package, as a module in package `from` imports it. */
export function packageModule(packageName: string, from: string): string {
  if (packageName === from) return ".";
  const up = from === "" ? 0 : from.split(".").length;
  return ".".repeat(up + 1) + packageName;
}

/** The folder of a package, with a slash at its end; empty for no package. */
export function packageFolder(packageName: string): string {
  return packageName === "" ? "" : `${packageName.replaceAll(".", "/")}/`;
}
