import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import type { Imports } from "../imports.js";
import { className, packageModule } from "./names.js";

/** Annotations of messages and fields in one module of stubs, as betterproto2 declares the attributes. */
export class Types {
  /** @param shadowed names of methods, which hide builtins of the same name in the bodies of classes */
  constructor(
    readonly packageName: string,
    readonly imports: Imports,
    readonly shadowed: ReadonlySet<string>,
  ) {}

  /** The class of a message or enum. */
  named(type: DescMessage | DescEnum): string {
    return this.imports.use(packageModule(type.file.proto.package, this.packageName), className(type));
  }

  /** The type of a field, and its default. */
  field(field: DescField): string {
    switch (field.fieldKind) {
      case "map":
        return `${this.#builtin("dict")}[${this.#scalar(field.mapKey)}, ${this.#element(field)}] = ...`;
      case "list":
        return `${this.#builtin("list")}[${this.#element(field)}] = ...`;
      default:
        return isOptional(field)
          ? `${this.#element(field)} | None = None`
          : `${this.#element(field)}${defaultOf(field)}`;
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
    if (!wrapped.startsWith("datetime.")) return this.#builtin(wrapped);
    return this.imports.use("datetime", wrapped.slice("datetime.".length));
  }

  #scalar(scalar: ScalarType | undefined): string {
    return this.#builtin(scalarTypes.get(scalar ?? ScalarType.INT32) ?? "int");
  }

  #builtin(name: string): string {
    return this.shadowed.has(name) ? this.imports.use("builtins", name) : name;
  }
}

/** Whether betterproto2 lets the attribute be None. */
function isOptional(field: DescField): boolean {
  return field.oneof !== undefined || field.proto.proto3Optional || field.message !== undefined;
}

function defaultOf(field: DescField): string {
  if (field.enum !== undefined) return " = ...";
  switch (scalarTypes.get(field.scalar ?? ScalarType.INT32)) {
    case "str":
      return ' = ""';
    case "bytes":
      return ' = b""';
    case "bool":
      return " = False";
    case "float":
      return " = 0.0";
    default:
      return " = 0";
  }
}

const scalarTypes: ReadonlyMap<ScalarType, string> = new Map([
  [ScalarType.DOUBLE, "float"],
  [ScalarType.FLOAT, "float"],
  [ScalarType.BOOL, "bool"],
  [ScalarType.STRING, "str"],
  [ScalarType.BYTES, "bytes"],
]);

/** Messages for which betterproto2 puts a type of Python's own into fields. */
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
