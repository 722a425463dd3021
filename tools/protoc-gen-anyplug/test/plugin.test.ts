import { create } from "@bufbuild/protobuf";
import { CodeGeneratorRequestSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "@jest/globals";
import { generate } from "../src/plugin.js";
import { compile, generated, schema } from "./compile.js";

test.each([
  ["", /target is missing/],
  ["target=go", /unknown target "go"/],
  ["target=ts,colour=red", /unknown option "colour=red"/],
])("options %j are refused by name", async (parameter, expected) => {
  expect((await generated(schema("message M {}"), parameter)).error).toMatch(expected);
});

const schemas = {
  "a/v1/a.proto":
    'syntax = "proto3"; package a.v1; import "b/b.proto"; service AService { rpc Get(b.M) returns (b.M); }',
  "a/v1/z.proto": 'syntax = "proto3"; package a.v1; service ZService {} message Z {}',
  "b/b.proto": 'syntax = "proto3"; package b; message M {}',
};

test.each(["ts", "rust", "python"])(
  "what is generated for %s does not depend on the order of the request",
  async (target) => {
    const { file } = await compile(schemas);
    const names = Object.keys(schemas);
    const request = (fileToGenerate: string[]) =>
      generate(create(CodeGeneratorRequestSchema, { fileToGenerate, parameter: `target=${target}`, protoFile: file }));
    expect(request(names.toReversed())).toEqual(request(names));
  },
);

test("each language gets its files where its messages are", async () => {
  const names = async (target: string) => [...(await generated(schemas, `target=${target}`)).files.keys()];
  expect(await names("ts")).toEqual(["a/v1/a_anyplug.ts", "a/v1/z_anyplug.ts"]);
  expect(await names("python")).toEqual([
    "__init__.py",
    "a/__init__.py",
    "a/v1/__init__.py",
    "a/v1/_anyplug_table.py",
    "a/v1/a_anyplug.py",
    "a/v1/z_anyplug.py",
    "b/__init__.py",
    "b/_anyplug_table.py",
    "message_pool.py",
    "py.typed",
  ]);
  expect(await names("rust")).toEqual(["a/mod.rs", "a/v1/mod.rs", "a/v1/services.rs", "b/mod.rs", "mod.rs"]);
  expect(await names("rust,modules_only=true")).toEqual(["a/mod.rs", "a/v1/mod.rs", "b/mod.rs", "mod.rs"]);
});

test("messages that are elsewhere are imported from there", async () => {
  const ts = await generated(schemas, "target=ts,core=anyplug/codegen/v1,Mb/b.proto=@b/messages");
  expect(ts.files.get("a/v1/a_anyplug.ts")).toContain('import { type DeepPartial, M } from "@b/messages";');
  expect(ts.files.get("a/v1/a_anyplug.ts")).toContain('from "anyplug/codegen/v1";');
  const rust = await generated(schemas, "target=rust,core=::anyplug::codegen::v1,extern_path=.b=::b::messages");
  expect(rust.files.get("a/v1/services.rs")).toContain("UnaryCall<::b::messages::M, ::b::messages::M>");
  expect(rust.files.has("b/mod.rs")).toBe(false);
});

test("two files that Python would have in one place are refused", async () => {
  const twice = {
    "x/a.proto": 'syntax = "proto3"; package a; service XService {}',
    "y/a.proto": 'syntax = "proto3"; package a; service YService {}',
  };
  expect((await generated(twice, "target=python")).error).toMatch(/a\/a_anyplug\.py: rename one/);
  expect((await generated(twice, "target=ts")).files.size).toBe(2);
});
