import { expect, test } from "@jest/globals";
import { mend } from "../mend.mjs";

const entry = `export const Thing_ByIdEntry: MessageFns<Thing_ByIdEntry> = {
  decode(input) {
          message.value = Thing.decode(reader, reader.uint32());
  },
};
`;
const use = (type) => `            const entry3 = ${type}.decode(reader, reader.uint32());
            if (entry3.value !== undefined) {
              message.byId.set(entry3.key, entry3.value);
            }
`;

test("a map entry without a message has an empty one", () => {
  expect(
    mend(entry + use("Thing_ByIdEntry")),
  ).toBe(`${entry}            const entry3 = Thing_ByIdEntry.decode(reader, reader.uint32());
            message.byId.set(entry3.key, entry3.value ?? Thing.fromPartial({}));
`);
});

test("maps of other values are as they were", () => {
  expect(mend(use("Thing_LabelsEntry"))).toBe(use("Thing_LabelsEntry"));
});

test("-0.0 is sent, and 0 of a whole number is not", () => {
  const check = (kind) => `if (message.value !== 0) {\n      writer.uint32(9).${kind}(message.value);\n    }`;
  expect(mend(check("double"))).toContain("if (!Object.is(message.value, 0)) {");
  expect(mend(check("float"))).toContain("if (!Object.is(message.value, 0)) {");
  expect(mend(check("int32"))).toBe(check("int32"));
});
