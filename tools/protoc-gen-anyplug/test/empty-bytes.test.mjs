import { expect, test } from "@jest/globals";
import { shareEmptyBytes } from "../src/typescript/empty-bytes.mjs";

const file = (value) => `export const protobufPackage = "thing.v1";

function createBaseThing(): Thing {
  return { data: ${value} };
}
`;

test("the empty value of bytes is made once", () => {
  expect(shareEmptyBytes(file("new Uint8Array(0)"))).toBe(
    `const noBytes: Uint8Array = new Uint8Array(0);\n\n${file("noBytes")}`,
  );
});

test("a file without bytes is as it was", () => {
  expect(shareEmptyBytes(file('""'))).toBe(file('""'));
});
