import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import type { Place, RustNames } from "./names.js";
import type { Traits } from "./traits.js";

/** The type of a field in Rust, and what the codec calls it. */
export interface FieldType {
  readonly type: string;
  /** The whole field, with presence, list or map. */
  readonly codec: string;
}

/** Types and codecs of fields, as they are called at one place. */
export class FieldTypes {
  constructor(
    readonly names: RustNames,
    readonly traits: Traits,
    readonly place: Place,
  ) {}

  /** The member of a struct for a field. */
  member(field: DescField): FieldType {
    switch (field.fieldKind) {
      case "map": {
        const value = this.#element(field);
        const key = scalarOf(field.mapKey);
        return {
          type: `::std::collections::BTreeMap<${key.type}, ${value.type}>`,
          codec: `__codec::Map<${key.codec}, ${value.codec}>`,
        };
      }
      case "list": {
        const { type, codec } = this.#element(field);
        const isNumber = field.message === undefined && !isText(field.scalar);
        const shape = isNumber ? (field.packed ? "Packed" : "Unpacked") : "List";
        return { type: `::std::vec::Vec<${type}>`, codec: `__codec::${shape}<${codec}>` };
      }
      default: {
        const { type, codec } = this.one(field);
        const isPlain = field.presence === FeatureSet_FieldPresence.IMPLICIT;
        return isPlain
          ? { type, codec: `__codec::Plain<${codec}>` }
          : { type: `::core::option::Option<${type}>`, codec: `__codec::Optional<${codec}>` };
      }
    }
  }

  /** A single value, as it is in a oneof. */
  one(field: DescField): FieldType {
    const { type, codec } = this.#element(field);
    if (!this.traits.isBoxed(field)) return { type, codec };
    return { type: `::std::boxed::Box<${type}>`, codec: `__codec::Boxed<${codec}>` };
  }

  /** The path of an enum. */
  enum(type: DescEnum): string {
    return this.names.path(type, this.place);
  }

  #element(field: DescField): FieldType {
    if (field.message !== undefined) return this.#message(field.message);
    if (field.enum !== undefined) return { type: "i32", codec: "__codec::Enum" };
    return scalarOf(field.scalar);
  }

  #message(message: DescMessage): FieldType {
    const type = this.names.path(message, this.place);
    const isForeign = this.names.external(message) !== undefined;
    if (this.names.isOfProst(message)) {
      const wrapped = wrappers.get(message.name);
      if (wrapped !== undefined) return { type, codec: `__codec::Wrapped<${scalarOf(wrapped).codec}>` };
      if (ownCodec.has(message.name)) return { type, codec: `__codec::Sub<${type}>` };
    }
    return { type, codec: `__codec::${isForeign ? "Foreign" : "Sub"}<${type}>` };
  }
}

/** Strings and bytes, which are never packed. */
export function isText(scalar: ScalarType | undefined): boolean {
  return scalar === ScalarType.STRING || scalar === ScalarType.BYTES;
}

function scalarOf(scalar: ScalarType | undefined): FieldType {
  const [type, codec] = scalars[scalar ?? ScalarType.INT32];
  return { type, codec: `__codec::${codec}` };
}

const scalars: Record<ScalarType, readonly [type: string, codec: string]> = {
  [ScalarType.DOUBLE]: ["f64", "Double"],
  [ScalarType.FLOAT]: ["f32", "Float"],
  [ScalarType.INT64]: ["i64", "Int64"],
  [ScalarType.UINT64]: ["u64", "Uint64"],
  [ScalarType.INT32]: ["i32", "Int32"],
  [ScalarType.FIXED64]: ["u64", "Fixed64"],
  [ScalarType.FIXED32]: ["u32", "Fixed32"],
  [ScalarType.BOOL]: ["bool", "Bool"],
  [ScalarType.STRING]: ["::std::string::String", "Text"],
  [ScalarType.BYTES]: ["::std::vec::Vec<u8>", "Bytes"],
  [ScalarType.UINT32]: ["u32", "Uint32"],
  [ScalarType.SFIXED32]: ["i32", "Sfixed32"],
  [ScalarType.SFIXED64]: ["i64", "Sfixed64"],
  [ScalarType.SINT32]: ["i32", "Sint32"],
  [ScalarType.SINT64]: ["i64", "Sint64"],
};

/** Messages for which the value in them stands. */
const wrappers: ReadonlyMap<string, ScalarType> = new Map([
  ["BoolValue", ScalarType.BOOL],
  ["BytesValue", ScalarType.BYTES],
  ["DoubleValue", ScalarType.DOUBLE],
  ["FloatValue", ScalarType.FLOAT],
  ["Int32Value", ScalarType.INT32],
  ["Int64Value", ScalarType.INT64],
  ["StringValue", ScalarType.STRING],
  ["UInt32Value", ScalarType.UINT32],
  ["UInt64Value", ScalarType.UINT64],
]);

/** Types of prost_types that the codec reads and writes itself. */
const ownCodec = new Set("Any Duration Empty FieldMask ListValue Struct Timestamp Value".split(" "));
