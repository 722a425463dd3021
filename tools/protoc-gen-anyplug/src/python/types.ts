import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import type { Imports } from "../imports.js";
import { type PythonNames, packageModule } from "./names.js";

/** Annotations of messages and fields in one module, which says how it calls what is not its own. */
export abstract class Types {
  constructor(readonly names: PythonNames) {}

  /** The class of a message or enum. */
  abstract named(type: DescMessage | DescEnum): string;

  /** A builtin, which the names of methods or attributes may hide. */
  abstract builtin(name: string): string;

  /** A class of the module datetime. */
  abstract datetime(name: string): string;

  /** The type of a field. */
  field(field: DescField): string {
    switch (field.fieldKind) {
      case "map":
        return `${this.builtin("dict")}[${this.#scalar(field.mapKey)}, ${this.#element(field)}]`;
      case "list":
        return `${this.builtin("list")}[${this.#element(field)}]`;
      default:
        return isOptional(field) ? `${this.#element(field)} | None` : this.#element(field);
    }
  }

  #element(field: DescField): string {
    if (field.message !== undefined) return this.#message(field.message);
    if (field.enum !== undefined) return this.named(field.enum);
    return this.#scalar(field.scalar);
  }

  #message(message: DescMessage): string {
    const wrapped = wrappedTypes.get(message.typeName);
    if (wrapped === undefined) return this.named(message);
    if (!wrapped.startsWith("datetime.")) return this.builtin(wrapped);
    return this.datetime(wrapped.slice("datetime.".length));
  }

  #scalar(scalar: ScalarType | undefined): string {
    return this.builtin(scalarTypes.get(scalar ?? ScalarType.INT32) ?? "int");
  }
}

/** Whether the attribute may be None: what tells absent from default. */
export function isOptional(field: DescField): boolean {
  if (field.fieldKind === "list" || field.fieldKind === "map") return false;
  return field.oneof !== undefined || field.proto.proto3Optional || field.message !== undefined;
}

/** The default of an attribute that is not None, a list or a dict, or an enum's. */
export function defaultOf(field: DescField): string {
  switch (scalarTypes.get(field.scalar ?? ScalarType.INT32)) {
    case "str":
      return '""';
    case "bytes":
      return 'b""';
    case "bool":
      return "False";
    case "float":
      return "0.0";
    default:
      return "0";
  }
}

const scalarTypes: ReadonlyMap<ScalarType, string> = new Map([
  [ScalarType.DOUBLE, "float"],
  [ScalarType.FLOAT, "float"],
  [ScalarType.BOOL, "bool"],
  [ScalarType.STRING, "str"],
  [ScalarType.BYTES, "bytes"],
]);

/** Messages for which fields have a type of Python's own, as betterproto2 has it. */
const wrappedTypes: ReadonlyMap<string, string> = new Map([
  ["google.protobuf.BoolValue", "bool"],
  ["google.protobuf.Int32Value", "int"],
  ["google.protobuf.Int64Value", "int"],
  ["google.protobuf.UInt32Value", "int"],
  ["google.protobuf.UInt64Value", "int"],
  ["google.protobuf.FloatValue", "float"],
  ["google.protobuf.DoubleValue", "float"],
  ["google.protobuf.StringValue", "str"],
  ["google.protobuf.BytesValue", "bytes"],
  ["google.protobuf.Timestamp", "datetime.datetime"],
  ["google.protobuf.Duration", "datetime.timedelta"],
]);

/** The types of a module of stubs, which imports each by its name. */
export class StubTypes extends Types {
  /** @param shadowed names of methods, which hide builtins of the same name in the bodies of classes */
  constructor(
    names: PythonNames,
    readonly packageName: string,
    readonly imports: Imports,
    readonly shadowed: ReadonlySet<string>,
  ) {
    super(names);
  }

  named(type: DescMessage | DescEnum): string {
    return this.imports.use(packageModule(type.file.proto.package, this.packageName), this.names.class(type));
  }

  builtin(name: string): string {
    return this.shadowed.has(name) ? this.imports.use("builtins", name) : name;
  }

  datetime(name: string): string {
    return this.imports.use("datetime", name);
  }
}
