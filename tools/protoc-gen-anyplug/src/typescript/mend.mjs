/**
 * Mends what ts-proto writes where it loses what the schema can say, or takes what is not a message:
 *
 * - A message that comes in parts is the parts together; ts-proto keeps the last.
 * - A map entry without a value has the default value; ts-proto drops it where values are messages, and prost sends just that for an
 *   empty message.
 * - -0.0 is not the default of a double or float, which is 0.0; ts-proto does not send it.
 * - Unknown fields keep their order; ts-proto sends them by field number. `_unknownFields` is a list, each with its tag. A map entry with
 *   a field that is neither key nor value is one, as protobuf's own implementation has it.
 * - `fromPartial` keeps unknown fields; ts-proto drops them.
 * - Text that is not UTF-8, the end of a group that was not begun, a tag of more than 32 bits or for field 0, a length over 2 GiB and a field
 *   that reaches past the end of its message are refused; ts-proto takes them.
 * - A hundred messages may lie within one another, as for every other implementation; ts-proto takes 99.
 * - What is given to `fromPartial` may have members that are undefined; ts-proto's type refuses them under `exactOptionalPropertyTypes`.
 *
 * @param {string} source a file of ts-proto's
 * @returns {string} the file, mended
 * @throws Error when the file is not of the form that is mended: another version of ts-proto wrote it
 */
export function mend(source) {
  const values = entryValues(source);
  const methods = source.match(decodeMethod)?.length ?? 0;
  let mended = 0;
  const result = source
    .replace(decodeMethod, (method) => {
      mended += 1;
      return decode(method, values);
    })
    .replace(/^(\s+decode\(input: BinaryReader \| Uint8Array, length\?: number)(\): T;)$/m, "$1, into?: T$2")
    .replace(
      /if \((message\.\w+) !== 0\) (\{\n\s+writer\.uint32\(\d+\)\.(?:double|float)\()/g,
      "if (!Object.is($1, 0)) $2",
    )
    .replace(/^(\s+_unknownFields\?: )\{ \[key: number\]: Uint8Array\[\] \}( \| undefined;)$/gm, "$1Uint8Array[]$2")
    .replace(/\b_unknownFields: \{\}/g, "_unknownFields: undefined")
    .replace(
      fromPartial,
      "$1object$2$3    if (object._unknownFields !== undefined) message._unknownFields = [...object._unknownFields];\n",
    )
    .replaceAll("?: DeepPartial<T[K]> }", "?: DeepPartial<T[K]> | undefined }")
    .replace(writeUnknown, "$1for (const field of message._unknownFields) {\n$1  writer.raw(field);\n$1}\n");
  const left = /\.decode\(reader, reader\.uint32\(\)|reader\.string\(\)|_unknownFields!\[/.exec(result);
  if (mended !== methods || left !== null || (methods > 0 && result.includes("tag === 0"))) {
    throw new Error(`this is not what the version of ts-proto that is mended writes: ${left?.[0] ?? "decode"}`);
  }
  const used = strict.filter(([name]) => result.includes(`${name}(`) || (name === "readLength" && methods > 0));
  return result + used.map(([, text]) => text).join("");
}

const decodeMethod = /^ {2}decode\(input: BinaryReader \| Uint8Array, length\?: number\): \w+ \{\n[\s\S]*?^ {2}\},$/gm;

const fromPartial =
  /^( {2}fromPartial\()(?:object|_)(: DeepPartial<\w+>\): \w+ \{\n)( {4}const message = createBase\w+\(\);\n)/gm;

const writeUnknown =
  /^(\s+)for \(const \[key, values\] of globalThis\.Object\.entries\(message\._unknownFields\)\) \{\n[\s\S]*?^\1\}\n/gm;

/** The types of the messages that are values in maps, by the types of the entries. */
function entryValues(source) {
  const values = new Map();
  for (const [, entry, body] of source.matchAll(/^export const (\w+Entry)\b(.*?)^};$/gms)) {
    const value = /^\s+message\.value = (\w+)\.decode\(/m.exec(body);
    if (value !== null) values.set(entry, value[1]);
  }
  return values;
}

function decode(method, values) {
  const keeps = method.includes("_unknownFields");
  return method
    .replace(/^( {2}decode\(input: BinaryReader \| Uint8Array, length\?: number)\): (\w+) \{/, "$1, into?: $2): $2 {")
    .replace("previousRecursionDepth >= 100", "previousRecursionDepth > 100")
    .replace(/const message = (createBase\w+\(\));/, "const message = into ?? $1;")
    .replace("input : new BinaryReader(input)", "input : new StrictReader(input)")
    .replace(/const tag = reader\.uint32\(\);/, "const tag = readTag(reader);")
    .replace(/reader\.string\(\)/g, "reader.string(true)")
    .replace(packed, "$1readLength(reader)$2\n$3expectEnd(reader, end2);")
    .replace(
      /(const (entry\d+) = (\w+)\.decode\(reader, reader\.uint32\(\)\);\n)(\s+)(if \(\2\.value !== undefined\) \{\n\s+(.*)\.set\(\2\.key, \2\.value\);\n\s+\})/g,
      (_whole, entry, name, type, indent, set, map) => {
        const unknown = `new BinaryWriter().uint32(tag).bytes(${type}.encode(${name}).finish()).finish()`;
        const kept = `(message._unknownFields ??= []).push(${unknown});`;
        const odd = `if (${name}._unknownFields !== undefined) {\n${indent}  ${kept}\n${indent}  continue;\n${indent}}\n`;
        const value = `${map}.set(${name}.key, ${name}.value ?? ${values.get(type)}.fromPartial({}));`;
        return `${entry}${indent}${keeps ? `${odd}${indent}` : ""}${values.has(type) ? value : set}`;
      },
    )
    .replace(member, (whole, property, test, choice, unwrap, type, value) => {
      const held = test === undefined ? property : `${property}.${choice}`;
      const part = parts(held, unwrap === undefined ? undefined : type, value);
      const into = test === undefined ? part : `${property}?.$case === "${choice}" ? ${part} : undefined`;
      return whole.replace("reader.uint32()", `readLength(reader), ${into}`);
    })
    .replace(/\.decode\(reader, reader\.uint32\(\)\)/g, ".decode(reader, readLength(reader))")
    .replace(unknown, unknownMended)
    .replace(/^(\s+)return message;$/m, "$1expectEnd(reader, end);\n$1return message;");
}

const packed =
  /(const end2 = )reader\.uint32\(\)( \+ reader\.pos;\n\s+while \(reader\.pos < end2\) \{\n[^}]*\n(\s+)\})/g;

/** A member that is a message, as it is or in the form that ts-proto has for it. */
const member =
  /(message\.\w+) =\s+(\{\s*\$case: "(\w+)",\s+\w+:\s+)?(\w+\.unwrap\(\s*)?(\w+)\.decode\(\s*reader,\s*reader\.uint32\(\)\s*\)(\.value)?/g;

/** What a member holds, as the message that further parts are read into. */
function parts(held, wrapped, value) {
  if (wrapped !== undefined) return `${held} === undefined ? undefined : ${wrapped}.wrap(${held})`;
  if (value !== undefined) return `${held} === undefined ? undefined : { value: ${held} }`;
  return held;
}

const unknown =
  /^( +)if \(\(tag & 7\) === 4 \|\| tag === 0\) \{\n +break;\n +\}\n(?: +const buf = )? *reader\.skip\(tag & 7\);\n(\n +const list = message\._unknownFields!\[tag\];\n[\s\S]*?list\.push\(buf\);\n +\}\n)?/m;

function unknownMended(_whole, indent, keeps) {
  const skip = "skipField(reader, tag, 100 - previousRecursionDepth)";
  return keeps === undefined ? `${indent}${skip};\n` : `${indent}(message._unknownFields ??= []).push(${skip});\n`;
}

/** What the mended methods call, by name: part of each file, so that it needs no other. */
const strict = Object.entries({
  StrictReader: `
/** Refuses lengths that are no lengths, and numbers without an end, wherever they are. */
class StrictReader extends BinaryReader {
  override bytes(): Uint8Array {
    this.checkLength();
    return super.bytes();
  }

  override string(strict?: boolean): string {
    this.checkLength();
    return super.string(strict);
  }

  override skip(wireType: number, fieldNo?: number, recursionLimit?: number): Uint8Array {
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
    readLength(this);
    this.pos = start;
  }
}
`,
  readTag: `
/** Reads the tag of a field, which has 32 bits. */
function readTag(reader: BinaryReader): number {
  const start = reader.pos;
  const tag = reader.uint32();
  if (reader.pos > start + 4) {
    reader.pos = start;
    reader.tag();
  }
  return tag;
}
`,
  readLength: `
/** Reads the length of what follows: up to five bytes, less than 2 GiB. */
function readLength(reader: BinaryReader): number {
  const start = reader.pos;
  const length = reader.uint32();
  if (reader.pos > start + 4) {
    const bytes = reader.pos - start;
    reader.pos = start;
    if (bytes > 5 || globalThis.BigInt(reader.uint64()) > 0x7fffffffn) {
      throw new globalThis.Error("a length is over 2 GiB");
    }
  }
  return length;
}
`,
  skipField: `
/** Reads a field that is not known, and returns it with its tag. */
function skipField(reader: BinaryReader, tag: number, depth: number): Uint8Array {
  if ((tag & 7) === 4 || tag >>> 3 === 0) {
    throw new globalThis.Error("illegal tag: field no " + (tag >>> 3) + " wire type " + (tag & 7));
  }
  const field = reader.skip(tag & 7, tag >>> 3, depth);
  return new BinaryWriter().uint32(tag).raw(field).finish();
}
`,
  expectEnd: `
/** Refuses what reached past the end of the message, or of the packed numbers, that it is part of. */
function expectEnd(reader: BinaryReader, end: number): void {
  if (reader.pos !== end) {
    throw new globalThis.RangeError("a field reaches past the end of its message");
  }
}
`,
});
