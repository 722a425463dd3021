/** What the codecs of a module call: part of each module, so that it needs no other. */
import type { MessageModule } from "./module.js";

/** By name: which others it uses, and its lines. */
interface Helper {
  readonly uses?: readonly HelperName[];
  readonly lines: (module: MessageModule) => string;
}

/** The name of a helper. */
export type HelperName =
  | "noBytes"
  | "DeepPartial"
  | "Builtin"
  | "MessageFns"
  | "readerOf"
  | "StrictReader"
  | "enter"
  | "readTag"
  | "readLength"
  | "skipField"
  | "expectEnd"
  | "signed"
  | "unsigned"
  | "outOfRange";

/** All of them, in the order in which they are written. */
export const helpers: Readonly<Record<HelperName, Helper>> = {
  noBytes: {
    lines: (m) => `
const ${m.helper("noBytes")}: ${m.global("Uint8Array")} = new ${m.global("Uint8Array")}(0);`,
  },
  DeepPartial: {
    lines: (m) => `
type ${m.helper("Builtin")} = ${m.global("Date")} | ${m.global("Function")} | ${m.global("Uint8Array")} | string | number | boolean | bigint | undefined;

/** The message, of which any member may be left out: it has its default then. */
export type ${m.helper("DeepPartial")}<T> = T extends bigint ? string | number | bigint
  : T extends ${m.helper("Builtin")} ? T
  : T extends ${m.global("Array")}<infer U> ? ${m.global("Array")}<${m.helper("DeepPartial")}<U>>
  : T extends { $case: string } ? { [K in keyof T as K extends "$case" ? never : K]?: ${m.helper("DeepPartial")}<T[K]> | undefined } & { $case: T["$case"] }
  : T extends {} ? { [K in keyof T]?: ${m.helper("DeepPartial")}<T[K]> | undefined }
  : T;`,
  },
  Builtin: { lines: () => "" },
  MessageFns: {
    uses: ["DeepPartial"],
    lines: (m) => `
/** The codec of a message. */
export interface ${m.helper("MessageFns")}<T, V extends string> {
  /** Its full name. */
  readonly $type: V;
  /** Writes the message to \`writer\`, or to a new one. */
  encode(message: T, writer?: ${m.wire("BinaryWriter")}): ${m.wire("BinaryWriter")};
  /** Reads a message of \`length\` bytes, or of all that is left, into a new one or into \`into\`. */
  decode(input: ${m.wire("BinaryReader")} | ${m.global("Uint8Array")}, length?: number, into?: T): T;
  /** As \`fromPartial\`; without an argument all members have their defaults. */
  create(base?: ${m.helper("DeepPartial")}<T>): T;
  /** Returns a complete message: a copy, absent members set to their defaults. */
  fromPartial(object: ${m.helper("DeepPartial")}<T>): T;
}`,
  },
  readerOf: {
    uses: ["StrictReader"],
    lines: (m) => `
function ${m.helper("readerOf")}(input: ${m.wire("BinaryReader")} | ${m.global("Uint8Array")}): ${m.wire("BinaryReader")} & { depth?: number } {
  return input instanceof ${m.wire("BinaryReader")} ? input : new ${m.helper("StrictReader")}(input);
}`,
  },
  StrictReader: {
    uses: ["readLength"],
    lines: (m) => `
/** Refuses lengths that are no lengths, and numbers without an end, wherever they are. */
class ${m.helper("StrictReader")} extends ${m.wire("BinaryReader")} {
  depth = 0;

  override bytes(): ${m.global("Uint8Array")} {
    this.checkLength();
    return super.bytes();
  }

  override string(strict?: boolean): string {
    this.checkLength();
    return super.string(strict);
  }

  override skip(wireType: number, fieldNo?: number, recursionLimit?: number): ${m.global("Uint8Array")} {
    if (wireType === 0) {
      const start = this.pos;
      this.uint64();
      this.pos = start;
    } else if (wireType === 2) {
      this.checkLength();
    }
    return super.skip(wireType, fieldNo, recursionLimit);
  }

  private checkLength(): void {
    const start = this.pos;
    ${m.helper("readLength")}(this);
    this.pos = start;
  }
}`,
  },
  enter: {
    lines: (m) => `
/** Goes one message deeper, and returns how many are around it: a hundred may be. */
function ${m.helper("enter")}(reader: { depth?: number }): number {
  const depth = reader.depth ?? 0;
  if (depth > 100) {
    throw new ${m.global("Error")}("protobuf decode recursion limit exceeded");
  }
  reader.depth = depth + 1;
  return depth;
}`,
  },
  readTag: {
    lines: (m) => `
/** Reads the tag of a field, which has 32 bits. */
function ${m.helper("readTag")}(reader: ${m.wire("BinaryReader")}): number {
  const start = reader.pos;
  const tag = reader.uint32();
  if (reader.pos > start + 4) {
    reader.pos = start;
    reader.tag();
  }
  return tag;
}`,
  },
  readLength: {
    lines: (m) => `
/** Reads the length of what follows: up to five bytes, less than 2 GiB. */
function ${m.helper("readLength")}(reader: ${m.wire("BinaryReader")}): number {
  const start = reader.pos;
  const length = reader.uint32();
  if (reader.pos > start + 4) {
    const bytes = reader.pos - start;
    reader.pos = start;
    if (bytes > 5 || ${m.global("BigInt")}(reader.uint64()) > 0x7fffffffn) {
      throw new ${m.global("Error")}("a length is over 2 GiB");
    }
  }
  return length;
}`,
  },
  skipField: {
    lines: (m) => `
/** Reads a field that is not known, and returns it with its tag. */
function ${m.helper("skipField")}(reader: ${m.wire("BinaryReader")}, tag: number, depth: number): ${m.global("Uint8Array")} {
  if ((tag & 7) === 4 || tag >>> 3 === 0) {
    throw new ${m.global("Error")}("illegal tag: field no " + (tag >>> 3) + " wire type " + (tag & 7));
  }
  const field = reader.skip(tag & 7, tag >>> 3, 100 - depth);
  return new ${m.wire("BinaryWriter")}().uint32(tag).raw(field).finish();
}`,
  },
  expectEnd: {
    lines: (m) => `
/** Refuses what reached past the end of the message, or of the packed numbers, that it is part of. */
function ${m.helper("expectEnd")}(reader: ${m.wire("BinaryReader")}, end: number): void {
  if (reader.pos !== end) {
    throw new ${m.global("RangeError")}("a field reaches past the end of its message");
  }
}`,
  },
  signed: {
    uses: ["outOfRange"],
    lines: (m) => `
/** Refuses what does not fit into 64 bits with a sign. */
function ${m.helper("signed")}(value: bigint, field: string): bigint {
  if (${m.global("BigInt")}.asIntN(64, value) !== value) throw ${m.helper("outOfRange")}(value, field);
  return value;
}`,
  },
  unsigned: {
    uses: ["outOfRange"],
    lines: (m) => `
/** Refuses what does not fit into 64 bits without a sign. */
function ${m.helper("unsigned")}(value: bigint, field: string): bigint {
  if (${m.global("BigInt")}.asUintN(64, value) !== value) throw ${m.helper("outOfRange")}(value, field);
  return value;
}`,
  },
  outOfRange: {
    lines: (m) => `
function ${m.helper("outOfRange")}(value: bigint, field: string): ${m.global("RangeError")} {
  return new ${m.global("RangeError")}(field + ": " + value + " does not fit into 64 bits");
}`,
  },
};

/** The lines of some of them and of those that they use, in order. */
export function helpersOf(wanted: ReadonlySet<HelperName>, module: MessageModule): string[] {
  const all = new Set<HelperName>();
  const add = (name: HelperName): void => {
    all.add(name);
    for (const used of helpers[name].uses ?? []) add(used);
  };
  for (const name of wanted) add(name);
  const names = Object.keys(helpers) as HelperName[];
  return names
    .filter((name) => all.has(name))
    .map((name) => helpers[name].lines(module))
    .filter((text) => text !== "")
    .flatMap((text) => text.split("\n"));
}
