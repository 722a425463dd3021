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
  expect(await names("ts")).toEqual(["a/v1/a.ts", "a/v1/a_anyplug.ts", "a/v1/z.ts", "a/v1/z_anyplug.ts", "b/b.ts"]);
  expect(await names("ts,messages=false")).toEqual(["a/v1/a_anyplug.ts", "a/v1/z_anyplug.ts"]);
  expect(await names("ts,services=false")).toEqual(["a/v1/a.ts", "a/v1/z.ts", "b/b.ts"]);
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
  expect(await names("rust")).toEqual([
    ...["a/mod.rs", "a/v1/messages.rs", "a/v1/mod.rs", "a/v1/services.rs", "b/messages.rs", "b/mod.rs", "mod.rs"],
  ]);
  expect(await names("rust,services=false,messages=false")).toEqual(["a/mod.rs", "a/v1/mod.rs", "b/mod.rs", "mod.rs"]);
});

test("messages that are elsewhere are imported from there", async () => {
  const ts = await generated(schemas, "target=ts,core=anyplug/codegen/v1,Mb/b.proto=@b/messages");
  expect(ts.files.get("a/v1/a_anyplug.ts")).toContain('import { type DeepPartial, M } from "@b/messages";');
  expect(ts.files.get("a/v1/a_anyplug.ts")).toContain('from "anyplug/codegen/v1";');
  const rust = await generated(schemas, "target=rust,core=::anyplug::codegen::v1,extern_path=.b=::b::messages");
  expect(rust.files.get("a/v1/services.rs")).toContain("UnaryCall<::b::messages::M, ::b::messages::M>");
  expect(rust.files.has("b/mod.rs")).toBe(false);
});

test.each([
  ["proto2", 'syntax = "proto2"; package a; message M { required int32 x = 1; }', "proto2"],
  ["an edition", 'edition = "2023"; package a; message M { int32 x = 1; }', "edition 2023"],
])("a file in %s is refused by name in each language, what it is used by too", async (_, text, what) => {
  const files = {
    "a.proto": text,
    "b.proto": 'syntax = "proto3"; package b; import "a.proto"; message N { a.M m = 1; }',
  };
  for (const target of ["ts", "rust", "python"]) {
    const { error } = await generated(files, `target=${target}`);
    expect(error).toBe(
      `a.proto:1: the file is in ${what}, and anyplug generates from proto3. Write syntax = "proto3"; fields that tell ` +
        "absent from default are optional there.",
    );
  }
});

test("all that is in the way is told at once, in the order of the places", async () => {
  const { error } = await generated(
    schema(
      "message M {} message ElizaClient {}\nmessage ElizaServiceClient {}\nservice Eliza {}\nmessage Foo_Bar { int32 someURL2 = 1; int32 some_url_2 = 2; }\n" +
        "message FooBar { enum A { A_X = 0; } }\nmessage ElizaServiceHandler {} message Class { int32 None = 1; }\nservice OtherService { rpc Get(M) returns (M); }",
    ),
    "target=python",
  );
  expect(error?.split("\n").map((line) => line.split(": ")[0])).toEqual([
    "a/v1/a.proto:5",
    "a/v1/a.proto:6, a/v1/a.proto:7",
  ]);
});

test("two files that Python would have in one place are refused", async () => {
  const twice = {
    "x/a.proto": 'syntax = "proto3"; package a; service XService {}',
    "y/a.proto": 'syntax = "proto3"; package a; service YService {}',
  };
  expect((await generated(twice, "target=python")).error).toMatch(/a\/a_anyplug\.py: rename one/);
  expect((await generated(twice, "target=ts,messages=false")).files.size).toBe(2);
});
