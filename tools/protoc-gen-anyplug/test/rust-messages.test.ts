import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "@jest/globals";
import { generated, generatedEach, schema } from "./compile.js";

const hostile = (name: string) => readFileSync(join(import.meta.dirname, "hostile-rust", name), "utf8");
const schemas = { "names.proto": hostile("names.proto"), "below.proto": hostile("below.proto") };

let messages = "";

beforeAll(async () => {
  const { files, error } = await generated(schemas, "target=rust");
  if (error !== undefined) throw new Error(error);
  messages = files.get("a/messages.rs") ?? "";
});

function all(pattern: RegExp): string[] {
  return [...messages.matchAll(pattern)].map((match) => match[1] ?? "");
}

test("messages that Rust would call alike keep the names of the schema", () => {
  expect(all(/^pub struct (\w+)/gm)).toEqual(["FooBar", "Foo_Bar", "foo_bar", "B", "I32", "i32_", "Choices"]);
});

test("a module gives way to the package or the type of its name", () => {
  expect(all(/^pub mod (\w+)/gm)).toEqual(["FooBar_", "Foo_Bar_", "foo_bar_", "b_", "choices"]);
});

test("a oneof's enum gives way to nested types, and its choices to one another", () => {
  expect(messages).toContain("pub choice: ::core::option::Option<choices::ChoiceOneOf_>");
  expect(all(/^ {8}(\w+)\((?!self)/gm).slice(-5)).toEqual(["One", "Two", "Three", "three", "Five"]);
});

test("values of one name keep those of the schema, and one of a number that is there already is a constant", () => {
  expect(all(/^ {4}(\w+ = -?\d+),/gm)).toEqual([
    ...["Unspecified = 0", "KIND_ONE_TWO = 1", "KIND_OneTwo = 2", "Self_ = 3", "Error = 4", "Kind1 = 5", "Below = -5"],
  ]);
  expect(messages).toContain("    pub const Fault: Self = Self::Error;");
});

test("no method hides one of another field, or of a trait", () => {
  const methods = all(/^ {4}pub fn (\w+)\(/gm);
  expect(methods.toSorted()).toEqual([...new Set(methods)].toSorted());
  expect(methods).toContain("set_kind");
  expect(methods).not.toContain("clone");
});

test("a place for unknown fields is there where it was asked for", async () => {
  const body = "message M { message N {} N n = 1; int32 x = 2; }\nmessage Many { double y = 1; }";
  const paths = ["", "=.a.v1.M", "=.a.v1.M.N,keep_unknown_fields=.a.v1.Many", "=.", "=a"];
  const options = paths.map((path) => (path === "" ? "target=rust" : `target=rust,keep_unknown_fields${path}`));
  const each = await generatedEach(schema(body), options);
  const keeping = each.map(({ files }) => {
    const text = files.get("a/v1/messages.rs") ?? "";
    return [...text.matchAll(/message! \{\s+(\w+) keeping/g)].map((match) => match[1]);
  });
  expect(keeping).toEqual([[], ["M", "N"], ["N", "Many"], ["M", "N", "Many"], []]);
  expect(each.map(({ error }) => error)).toEqual([
    ...[undefined, undefined, undefined, undefined],
    expect.stringContaining('unknown option "keep_unknown_fields=a"'),
  ]);
});

test("traits are derived as far as the fields allow, and messages within themselves are in boxes", async () => {
  const body =
    "message Plain { int32 a = 1; Real r = 2; }\nmessage Real { double a = 1; }\nmessage Text { string a = 1; optional Text2 t = 2; }\n" +
    "message Text2 { bytes b = 1; }\nmessage Ring { Ring2 two = 1; repeated Ring list = 2; map<int32, Ring> map = 3; }\n" +
    "message Ring2 { oneof x { Ring ring = 1; Plain plain = 2; } }";
  const { files } = await generated(schema(body), "target=rust");
  const text = files.get("a/v1/messages.rs") ?? "";
  const derived = [...text.matchAll(/#\[derive\((.*)\)\]\npub struct (\w+)/g)].map(([, traits, name]) => [
    name,
    traits,
  ]);
  expect(derived).toEqual([
    ["Plain", "Clone, Copy, Debug, Default, PartialEq"],
    ["Real", "Clone, Copy, Debug, Default, PartialEq"],
    ["Text", "Clone, Debug, Default, PartialEq, Eq, Hash"],
    ["Text2", "Clone, Debug, Default, PartialEq, Eq, Hash"],
    ["Ring", "Clone, Debug, Default, PartialEq"],
    ["Ring2", "Clone, Debug, Default, PartialEq"],
  ]);
  expect(text.match(/.*Box.*/g)).toEqual([
    "    pub two: ::core::option::Option<::std::boxed::Box<Ring2>>,",
    "        1 => two: __codec::Optional<__codec::Boxed<__codec::Sub<Ring2>>>,",
    "        Ring(::std::boxed::Box<super::Ring>),",
    "            1 => Ring: __codec::Boxed<__codec::Sub<super::Ring>>,",
  ]);
});

test("packages that would be one module in Rust are refused", async () => {
  const files = {
    "one.proto": 'syntax = "proto3"; package a.fooBar; message M {}',
    "two.proto": 'syntax = "proto3"; package a.foo_bar; message N {}',
  };
  expect((await generated(files, "target=rust")).error).toBe(
    "one.proto, two.proto: packages a.fooBar and a.foo_bar would both be the module a::foo_bar in Rust. Rename one of them.",
  );
});
