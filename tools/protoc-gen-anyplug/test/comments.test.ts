import { expect, test } from "@jest/globals";
import { docstring } from "../src/python/comment.js";
import { docComment as rustdoc } from "../src/rust/comment.js";
import { docComment as jsdoc } from "../src/typescript/comment.js";

test("a comment cannot end the JSDoc comment it becomes", () => {
  expect(jsdoc(["ends */ here"], false)).toEqual(["/** ends *\\/ here */"]);
  expect(jsdoc(["a", "", "b"], true)).toEqual(["/**", " * a", " *", " * b", " *", " * @deprecated", " */"]);
  expect(jsdoc([], false)).toEqual([]);
});

test("a comment cannot end or escape the docstring it becomes", () => {
  expect(docstring(['say """x""" and \\n'], false)).toEqual(['"""say \\"\\"\\"x\\"\\"\\" and \\\\n"""']);
  expect(docstring(['"quoted"'], false)).toEqual(['"""\\"quoted\\""""']);
  expect(docstring(["a", 'b"'], false)).toEqual(['"""a', 'b"', '"""']);
  expect(docstring([], true)).toEqual(['"""Deprecated."""']);
});

test("rustdoc takes nothing in a comment for a link, a tag or a test to run", () => {
  expect(rustdoc(["see [a] and Vec<T>, not `[b]<c>`"])).toEqual(["/// see \\[a\\] and Vec\\<T>, not `[b]<c>`"]);
  expect(rustdoc(["at https://example.com/a."])).toEqual(["/// at <https://example.com/a>."]);
  expect(rustdoc(["    let x = 1;"])).toEqual(["///    let x = 1;"]);
  expect(rustdoc(["```", "x[0]", "```"])).toEqual(["/// ```text", "/// x[0]", "/// ```"]);
  expect(rustdoc(["```json", "{}", "```"])).toEqual(["/// ```json", "/// {}", "/// ```"]);
});
