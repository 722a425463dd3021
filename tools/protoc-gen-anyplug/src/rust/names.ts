import type { DescEnum, DescEnumValue, DescField, DescFile, DescMessage, DescOneof } from "@bufbuild/protobuf";
import { snakeCase, upperCamelCase } from "../casing.js";
import type { Options } from "../options.js";
import { nesting } from "../output.js";
import { fileName } from "../source.js";
import { distinctNames, identifier } from "./identifiers.js";

/** The modules of a package: `a.type` gives `a` and `r#type`. */
export function modulesOf(packageName: string): string[] {
  return packageName === "" ? [] : packageName.split(".").map((part) => identifier(snakeCase(part)));
}

/** The file or folder of a module. */
export function fileOf(module: string): string {
  return module.replace(/^r#/, "");
}

/** What there are types for already. */
const wellKnown: ReadonlyMap<string, string> = new Map([
  [".google.protobuf", "::prost_types"],
  [".google.protobuf.BoolValue", "bool"],
  [".google.protobuf.BytesValue", "::std::vec::Vec<u8>"],
  [".google.protobuf.DoubleValue", "f64"],
  [".google.protobuf.Empty", "()"],
  [".google.protobuf.FloatValue", "f32"],
  [".google.protobuf.Int32Value", "i32"],
  [".google.protobuf.Int64Value", "i64"],
  [".google.protobuf.StringValue", "::std::string::String"],
  [".google.protobuf.UInt32Value", "u32"],
  [".google.protobuf.UInt64Value", "u64"],
]);

/** Where code stands that names a type: in the module of a package, or of a message, or below. */
export interface Place {
  readonly package: string;
  /** The message in whose module it is. */
  readonly message?: DescMessage | undefined;
  /** Whether it is in the module of the stubs, one below the package's. */
  readonly inStubs?: boolean;
}

/** What the messages and enums of all packages are called in Rust. */
export class RustNames {
  readonly #external: ReadonlyMap<string, string>;
  readonly #types = new Map<DescMessage | DescEnum, string>();
  readonly #modules = new Map<DescMessage, string>();
  readonly #oneofs = new Map<DescOneof, string>();
  readonly #members = new Map<DescField | DescOneof, string>();
  readonly #choices = new Map<DescField, string>();
  readonly #values = new Map<DescEnumValue, string>();

  /** @param all every file of the request, so that a package has the same names whatever is generated of it */
  constructor(
    all: Iterable<DescFile>,
    readonly options: Options,
  ) {
    this.#external = new Map([...wellKnown, ...options.externPaths]);
    const packages = new Map<string, DescFile[]>();
    for (const file of [...all].sort((a, b) => (fileName(a) < fileName(b) ? -1 : 1))) {
      const { package: name } = file.proto;
      packages.set(name, [...(packages.get(name) ?? []), file]);
    }
    for (const [name, files] of packages) {
      const own = modulesOf(name);
      const isBelow = (other: string[]) => own.every((module, index) => module === other[index]);
      const below = [...packages.keys()].map(modulesOf).filter((other) => other.length > own.length && isBelow(other));
      const types = files.flatMap((file) => [...file.messages, ...file.enums]);
      // The modules of packages are folders, and keep their names.
      this.#nameScope(types, [], new Set(below.map((modules) => modules[own.length] ?? "")));
    }
  }

  /** The name of a message or enum in its module. */
  type(type: DescMessage | DescEnum): string {
    return this.#types.get(type) ?? identifier(upperCamelCase(type.name));
  }

  /** The name of the module with what is nested in a message. */
  module(message: DescMessage): string {
    return this.#modules.get(message) ?? identifier(snakeCase(message.name));
  }

  /** The name of the enum of a oneof, in the module of its message. */
  oneof(oneof: DescOneof): string {
    return this.#oneofs.get(oneof) ?? identifier(upperCamelCase(oneof.name));
  }

  /** The member of the struct. */
  member(member: DescField | DescOneof): string {
    return this.#members.get(member) ?? identifier(snakeCase(member.name));
  }

  /** The variant of a oneof's enum. */
  choice(field: DescField): string {
    return this.#choices.get(field) ?? identifier(upperCamelCase(field.name));
  }

  /** The variant of an enum; a constant where another value has the same number. */
  value(value: DescEnumValue): string {
    return this.#values.get(value) ?? identifier(upperCamelCase(value.name));
  }

  /** The path of a type that is not generated here, if it is such. */
  external(type: DescMessage | DescEnum): string | undefined {
    return externPath(`.${type.typeName}`, this.#external);
  }

  /** Whether prost_types or the standard library has a type for a message of google.protobuf. */
  isOfProst(message: DescMessage): boolean {
    const name = `.${message.typeName}`;
    return externPath(name, this.options.externPaths) === undefined && externPath(name, wellKnown) !== undefined;
  }

  /** The path of a type. */
  path(type: DescMessage | DescEnum, from: Place): string {
    const around = type.parent === undefined ? [] : nesting(type.parent);
    return this.external(type) ?? this.#relative(type.file.proto.package, around, this.type(type), from);
  }

  /** The path of a oneof's enum. */
  oneofPath(oneof: DescOneof, from: Place): string {
    return this.#relative(oneof.parent.file.proto.package, nesting(oneof.parent), this.oneof(oneof), from);
  }

  #relative(packageName: string, around: readonly DescMessage[], name: string, from: Place): string {
    const own = this.#modulePath(from.package, from.message === undefined ? [] : nesting(from.message));
    const target = this.#modulePath(packageName, around);
    let shared = 0;
    while (shared < own.length && own[shared] === target[shared]) shared++;
    const up = Array.from({ length: own.length - shared + (from.inStubs ? 1 : 0) }, () => "super");
    return [...up, ...target.slice(shared), name].join("::");
  }

  #modulePath(packageName: string, around: readonly DescMessage[]): string[] {
    return [...modulesOf(packageName), ...around.map((message) => this.module(message))];
  }

  #nameScope(types: readonly (DescMessage | DescEnum)[], oneofs: readonly DescOneof[], taken: Set<string>): void {
    const named = distinctNames(types, ({ name }) => upperCamelCase(name), taken);
    for (const [type, name] of named) this.#types.set(type, name);
    for (const [oneof, name] of distinctNames(oneofs, (oneof) => oneofName(oneof, taken), taken)) {
      this.#oneofs.set(oneof, name);
    }
    const messages = types.filter((type) => type.kind === "message");
    for (const [message, name] of distinctNames(messages.filter(hasModule), moduleName, taken)) {
      this.#modules.set(message, name);
    }
    for (const message of messages) {
      this.#nameMembers(message);
      this.#nameScope([...message.nestedMessages, ...message.nestedEnums], message.oneofs, new Set());
    }
    for (const type of types) if (type.kind === "enum") this.#nameValues(type);
  }

  #nameMembers(message: DescMessage): void {
    const members = [...message.fields.filter((field) => field.oneof === undefined), ...message.oneofs];
    const taken = new Set(keepsUnknown(message, this.options) ? ["unknown_fields"] : []);
    for (const [member, name] of distinctNames(members, ({ name }) => snakeCase(name), taken)) {
      this.#members.set(member, name);
    }
    for (const { fields } of message.oneofs) {
      for (const [field, name] of distinctNames(fields, ({ name }) => upperCamelCase(name)))
        this.#choices.set(field, name);
    }
  }

  #nameValues(type: DescEnum): void {
    const prefix = upperCamelCase(type.name);
    const adapt = ({ name }: DescEnumValue) => {
      const adapted = upperCamelCase(name);
      const rest = adapted.startsWith(prefix) ? adapted.slice(prefix.length) : adapted;
      return /^\p{Lu}/u.test(rest) ? rest : adapted;
    };
    for (const [value, name] of distinctNames(type.values, adapt)) this.#values.set(value, name);
  }
}

/** Whether a message has a member for unknown fields. */
export function keepsUnknown(message: DescMessage, options: Options): boolean {
  const name = `.${message.typeName}`;
  return options.keepUnknownFields.some((path) => path === "." || name === path || name.startsWith(`${path}.`));
}

/** Whether a message has a module, for what is nested in it and for its oneofs. */
export function hasModule(message: DescMessage): boolean {
  return message.nestedMessages.length + message.nestedEnums.length + message.oneofs.length > 0;
}

function moduleName({ name }: DescMessage): string {
  return snakeCase(name);
}

function oneofName({ name }: DescOneof, taken: ReadonlySet<string>): string {
  const adapted = upperCamelCase(name);
  return taken.has(adapted) ? `${adapted}OneOf` : adapted;
}

/** Whether a package's messages are somewhere else. */
export function isExternal(packageName: string, options: Options): boolean {
  return externPath(`.${packageName}.X`, new Map([...wellKnown, ...options.externPaths])) !== undefined;
}

function externPath(name: string, paths: ReadonlyMap<string, string>): string | undefined {
  const exact = paths.get(name);
  if (exact !== undefined) return exact;
  for (let at = name.lastIndexOf("."); at > 0; at = name.lastIndexOf(".", at - 1)) {
    const path = paths.get(name.slice(0, at));
    if (path !== undefined) return [path, ...localPath(name.slice(at + 1).split("."))].join("::");
  }
  return undefined;
}

function localPath(names: readonly string[]): string[] {
  return names.map((name, index) => identifier(index < names.length - 1 ? snakeCase(name) : upperCamelCase(name)));
}
