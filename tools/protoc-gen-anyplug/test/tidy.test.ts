import { expect, test } from "@jest/globals";
import { tidy } from "../src/typescript/tidy.js";

test("lines are laid out by their brackets, and what is in text or comments is none", () => {
  const written = `import { A } from './a.js';
export interface M {
/** Ends with { and ' */
name: string,
}
export const M = {
encode(
      message: M,
      writer: Writer = new Writer(),
    ): Writer {
if ( message.name !== "{") {
          writer.uint32(10)
  .string(message.name);
        }
switch (message.choice?.$case) {
case 'text':
writer.skip();
break;
}
for (const key of keys) { write(key);
continue; }
return writer;
},
};`;
  expect(tidy(written)).toBe(`import { A } from "./a.js";
export interface M {
  /** Ends with { and ' */
  name: string;
}
export const M = {
  encode(message: M, writer: Writer = new Writer()): Writer {
    if (message.name !== "{") {
      writer.uint32(10)
      .string(message.name);
    }
    switch (message.choice?.$case) {
      case "text":
        writer.skip();
        break;
    }
    for (const key of keys) { write(key);
      continue;
    }
    return writer;
  },
};
`);
});
