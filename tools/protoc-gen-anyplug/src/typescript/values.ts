import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import type { MessageModule } from "./module.js";
import { type Scalar, scalarOf } from "./scalars.js";

/** The value of a field, of an element of a list, or of an entry of a map: how it is typed, written, read and copied. All but the lines are expressions. */
export interface Value {
  /** Its type, without undefined. */
  readonly type: string;
  /** Whether it is a message: absent unless it was set, and its parts are merged. */
  readonly isMessage: boolean;
  /** The default of a field without presence; of a message, that it is absent. */
  readonly zero: string;
  readonly wireType: number;
  /** Whether a list of it may be packed. */
  readonly isPackable: boolean;
  /** Whether `value` is not the default. */
  isSet(value: string): string;
  /** Writes `value` behind `tag`; `name` is for errors. */
  write(value: string, tag: number, name: string): string;
  /** Writes `value` in a packed list. */
  writePacked(value: string, name: string): string;
  /** Reads one; `held` is what further parts of a message are read into. */
  read(held?: string): string;
  /** A copy of a value given by a user. */
  copy(value: string): string;
  /** What an entry of a map has that says no value. */
  readonly empty: string;
}

/** Returns what is known of the values of a field: of those in a list or a map, of each. */
export function fieldValue(field: DescField, module: MessageModule): Value {
  if (field.message !== undefined) return messageValue(field.message, module);
  if (field.enum !== undefined) return enumValue(field.enum, module);
  return scalarValue(field.scalar, module);
}

/** The number that a field begins with. */
export function tagOf({ number }: { readonly number: number }, wireType: number): number {
  return ((number << 3) | wireType) >>> 0;
}

/** Returns what is known of a scalar. */
export function scalarValue(type: ScalarType, module: MessageModule): Value {
  const scalar = scalarOf(type);
  const inRange = (value: string, name: string) =>
    scalar.type === "bigint"
      ? `${module.helper(isUnsigned(type) ? "unsigned" : "signed")}(${value}, "${name}")`
      : value;
  return {
    type: scalar.type === "Uint8Array" ? module.global("Uint8Array") : scalar.type,
    isMessage: false,
    get zero() {
      return scalar.zero === "noBytes" ? module.helper("noBytes") : scalar.zero;
    },
    wireType: scalar.wireType,
    isPackable: scalar.wireType !== 2,
    isSet: (value) => isSet(scalar, value, module),
    write: (value, tag, name) => `writer.uint32(${tag}).${scalar.method}(${inRange(value, name)})`,
    writePacked: (value, name) => `writer.${scalar.method}(${inRange(value, name)})`,
    read: () => {
      if (type === ScalarType.STRING) return "reader.string(true)";
      return `reader.${scalar.method}()${scalar.type === "bigint" ? " as bigint" : ""}`;
    },
    copy: (value) => (scalar.type === "bigint" ? `${module.global("BigInt")}(${value})` : value),
    get empty() {
      return this.zero;
    },
  };
}

function isUnsigned(type: ScalarType): boolean {
  return type === ScalarType.UINT64 || type === ScalarType.FIXED64;
}

function isSet({ type, method }: Scalar, value: string, module: MessageModule): string {
  // -0 is not the default, which is 0.
  if (method === "double" || method === "float") return `!${module.global("Object")}.is(${value}, 0)`;
  switch (type) {
    case "number":
      return `${value} !== 0`;
    case "bigint":
      return `${value} !== 0n`;
    case "boolean":
      return value;
    case "string":
      return `${value} !== ""`;
    case "Uint8Array":
      return `${value}.length !== 0`;
  }
}

/** Returns what is known of an enum. It is open: any number is a value. */
function enumValue(type: DescEnum, module: MessageModule): Value {
  const name = module.type(type);
  return {
    type: name,
    isMessage: false,
    zero: "0",
    wireType: 0,
    isPackable: true,
    isSet: (value) => `${value} !== 0`,
    write: (value, tag) => `writer.uint32(${tag}).int32(${value})`,
    writePacked: (value) => `writer.int32(${value})`,
    read: () => `reader.int32() as ${name}`,
    copy: (value) => value,
    empty: "0",
  };
}

/** Returns what is known of a message: of those that TypeScript has another form for, that form. */
function messageValue(type: DescMessage, module: MessageModule): Value {
  const codec = module.type(type);
  const form = formOf(type, codec, module);
  const length = () => module.helper("readLength");
  return {
    type: form.type,
    isMessage: true,
    zero: "undefined",
    wireType: 2,
    isPackable: false,
    isSet: (value) => `${value} !== undefined`,
    write: (value, tag) => `${codec}.encode(${form.wrap(value)}, writer.uint32(${tag}).fork()).join()`,
    writePacked: (value) => value,
    read: (held) => {
      if (held === undefined) return form.unwrap(`${codec}.decode(reader, ${length()}(reader))`);
      const into = form.isPlain ? held : `${held} === undefined ? undefined : ${form.wrap(held)}`;
      return form.unwrap(`${codec}.decode(reader, ${length()}(reader), ${into})`);
    },
    copy: form.copy,
    get empty() {
      return form.empty();
    },
  };
}

interface Form {
  readonly type: string;
  /** Whether it is the message itself. */
  readonly isPlain: boolean;
  readonly wrap: (value: string) => string;
  readonly unwrap: (message: string) => string;
  readonly copy: (value: string) => string;
  readonly empty: () => string;
}

function formOf(type: DescMessage, codec: string, module: MessageModule): Form {
  const wrapped = /^google\.protobuf\.\w+Value$/.test(type.typeName) ? type.fields[0] : undefined;
  if (wrapped?.fieldKind === "scalar" && type.fields.length === 1) {
    const inner = scalarValue(wrapped.scalar, module);
    return {
      type: inner.type,
      isPlain: false,
      wrap: (value) => `{ value: ${value} }`,
      unwrap: (message) => `${message}.value`,
      copy: inner.copy,
      empty: () => inner.empty,
    };
  }
  const other = otherForms[type.typeName];
  if (other === undefined) {
    const itself = (value: string) => value;
    const copy = (value: string) => `${codec}.fromPartial(${value})`;
    return { type: codec, isPlain: true, wrap: itself, unwrap: itself, copy, empty: () => copy("{}") };
  }
  return {
    type: other.type(module),
    isPlain: false,
    wrap: (value) => `${codec}.wrap(${value})`,
    unwrap: (message) => `${codec}.unwrap(${message})`,
    copy: (value) => value,
    empty: () => other.empty,
  };
}

/** The messages that are JSON, and the mask of fields. */
const otherForms: Readonly<Record<string, { type: (module: MessageModule) => string; empty: string }>> = {
  "google.protobuf.Struct": { type: () => "{ [key: string]: any }", empty: "{}" },
  "google.protobuf.Value": { type: () => "any", empty: "undefined" },
  "google.protobuf.ListValue": { type: (module) => `${module.global("Array")}<any>`, empty: "[]" },
  "google.protobuf.FieldMask": { type: () => "string[]", empty: "[]" },
};
