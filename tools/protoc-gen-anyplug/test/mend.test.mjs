import { expect, test } from "@jest/globals";
import { mend } from "../src/typescript/mend.mjs";

/** A method of ts-proto's, with the fields that are of interest. */
const decode = (fields) => `  decode(input: BinaryReader | Uint8Array, length?: number): Thing {
    const previousRecursionDepth = (reader as any).__tsProtoDecodeDepth ?? 0;
    if (previousRecursionDepth >= 100) {
    }
      const message = createBaseThing();
      while (reader.pos < end) {
        const tag = reader.uint32();
${fields}
        if ((tag & 7) === 4 || tag === 0) {
          break;
        }
        const buf = reader.skip(tag & 7);

        const list = message._unknownFields![tag];

        if (list === undefined) {
          message._unknownFields![tag] = [buf];
        } else {
          list.push(buf);
        }
      }
      return message;
  },
`;

const entry = `export const Thing_ByIdEntry: MessageFns<Thing_ByIdEntry> = {
          message.value = Thing.decode(
};
`;
const use = (type) => `            const entry3 = ${type}.decode(reader, reader.uint32());
            if (entry3.value !== undefined) {
              message.byId.set(entry3.key, entry3.value);
            }`;

test("a map entry without a message has an empty one", () => {
  expect(mend(entry + decode(use("Thing_ByIdEntry")))).toContain(
    "message.byId.set(entry3.key, entry3.value ?? Thing.fromPartial({}));",
  );
});

test("maps of other values are as they were", () => {
  expect(mend(decode(use("Thing_LabelsEntry")))).toContain(
    "if (entry3.value !== undefined) {\n              message.byId.set(entry3.key, entry3.value);",
  );
});

test("a map entry with a field that is neither key nor value is an unknown field", () => {
  expect(mend(decode(use("Thing_LabelsEntry")))).toContain(
    "if (entry3._unknownFields !== undefined) {\n              (message._unknownFields ??= []).push(new BinaryWriter().uint32(tag)",
  );
});

test("-0.0 is sent, and 0 of a whole number is not", () => {
  const check = (kind) => `if (message.value !== 0) {\n      writer.uint32(9).${kind}(message.value);\n    }`;
  expect(mend(check("double"))).toContain("if (!Object.is(message.value, 0)) {");
  expect(mend(check("float"))).toContain("if (!Object.is(message.value, 0)) {");
  expect(mend(check("int32"))).toBe(check("int32"));
});

test("a message that comes in parts is read into what there is, in whatever form it is held", () => {
  const mended = mend(
    decode(`
            message.child = Thing.decode(reader, reader.uint32());
            message.wrapped = Int64Value.decode(reader, reader.uint32()).value;
            message.struct = Struct.unwrap(Struct.decode(reader, reader.uint32()));
            message.choice = { $case: "child", child: Thing.decode(reader, reader.uint32()) };
            message.choice = {
              $case: "value",
              value: Value.unwrap(Value.decode(reader, reader.uint32())),
            };
            message.children.push(Thing.decode(reader, reader.uint32()));`),
  );
  for (const call of [
    "message.child = Thing.decode(reader, readLength(reader), message.child);",
    "Int64Value.decode(reader, readLength(reader), message.wrapped === undefined ? undefined : { value: message.wrapped }).value",
    "Struct.decode(reader, readLength(reader), message.struct === undefined ? undefined : Struct.wrap(message.struct))",
    'Thing.decode(reader, readLength(reader), message.choice?.$case === "child" ? message.choice.child : undefined)',
    'message.choice?.$case === "value" ? message.choice.value === undefined ? undefined : Value.wrap(message.choice.value) : undefined)',
    "message.children.push(Thing.decode(reader, readLength(reader)));",
    "decode(input: BinaryReader | Uint8Array, length?: number, into?: Thing): Thing {",
    "const message = into ?? createBaseThing();",
  ]) {
    expect(mended).toContain(call);
  }
});

test("unknown fields are a list, and what is malformed is refused", () => {
  const mended = mend(
    `${decode(`
              const end2 = reader.uint32() + reader.pos;
              while (reader.pos < end2) {
                message.numbers.push(reader.int32());
              }
            message.text = reader.string();`)}
      for (const [key, values] of globalThis.Object.entries(message._unknownFields)) {
        const tag = parseInt(key, 10);
        for (const value of values) {
          writer.uint32(tag).raw(value);
        }
      }
`,
  );
  for (const part of [
    "(message._unknownFields ??= []).push(skipField(reader, tag, 100 - previousRecursionDepth));",
    "for (const field of message._unknownFields) {\n        writer.raw(field);\n      }",
    "const tag = readTag(reader);",
    "const end2 = readLength(reader) + reader.pos;",
    "              }\n              expectEnd(reader, end2);",
    "reader.string(true)",
    "expectEnd(reader, end);\n      return message;",
    "previousRecursionDepth > 100",
    "function readTag(",
    "function skipField(",
  ]) {
    expect(mended).toContain(part);
  }
});

test("what another version of ts-proto might write is refused", () => {
  expect(() => mend("const list = message._unknownFields![tag];")).toThrow("this is not what");
  expect(() => mend("x.set(Thing.decode(reader, reader.uint32()))")).toThrow("this is not what");
});

test("unknown fields are kept by fromPartial", () => {
  const written =
    "  fromPartial(_: DeepPartial<Thing>): Thing {\n    const message = createBaseThing();\n    return message;\n  },\n";
  expect(mend(written)).toBe(
    "  fromPartial(object: DeepPartial<Thing>): Thing {\n    const message = createBaseThing();\n" +
      "    if (object._unknownFields !== undefined) message._unknownFields = [...object._unknownFields];\n    return message;\n  },\n",
  );
});
