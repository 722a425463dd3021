import { ScalarType } from "@bufbuild/protobuf";

/** How TypeScript has a scalar, and how it is written and read. */
export interface Scalar {
  readonly type: "number" | "bigint" | "boolean" | "string" | "Uint8Array";
  /** The method of reader and writer. */
  readonly method: string;
  readonly wireType: number;
  /** The default value in code; bytes share one. */
  readonly zero: string;
}

const number = (method: string, wireType: number): Scalar => ({ type: "number", method, wireType, zero: "0" });
const bigint = (method: string, wireType: number): Scalar => ({ type: "bigint", method, wireType, zero: "0n" });

const scalars: Readonly<Record<ScalarType, Scalar>> = {
  [ScalarType.DOUBLE]: number("double", 1),
  [ScalarType.FLOAT]: number("float", 5),
  [ScalarType.INT32]: number("int32", 0),
  [ScalarType.INT64]: bigint("int64", 0),
  [ScalarType.UINT32]: number("uint32", 0),
  [ScalarType.UINT64]: bigint("uint64", 0),
  [ScalarType.SINT32]: number("sint32", 0),
  [ScalarType.SINT64]: bigint("sint64", 0),
  [ScalarType.FIXED32]: number("fixed32", 5),
  [ScalarType.FIXED64]: bigint("fixed64", 1),
  [ScalarType.SFIXED32]: number("sfixed32", 5),
  [ScalarType.SFIXED64]: bigint("sfixed64", 1),
  [ScalarType.BOOL]: { type: "boolean", method: "bool", wireType: 0, zero: "false" },
  [ScalarType.STRING]: { type: "string", method: "string", wireType: 2, zero: '""' },
  [ScalarType.BYTES]: { type: "Uint8Array", method: "bytes", wireType: 2, zero: "noBytes" },
};

/** Returns what is known of a scalar. */
export function scalarOf(type: ScalarType): Scalar {
  return scalars[type];
}
