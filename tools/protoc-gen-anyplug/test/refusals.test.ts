/** Every refusal that a schema can be given: where, what, and what to do. Those of options, languages and stubs' names are in plugin.test and names.test. */
import { expect, test } from "@jest/globals";
import { compile, generatedFrom } from "./compile.js";

const schemas = {
  "classes.proto": 'syntax = "proto3";\npackage classes;\nmessage Any {}\nmessage any {}\nenum ANY { ZERO = 0; }',
  "fields.proto": 'syntax = "proto3";\npackage fields;\nmessage M {\n  int32 class = 1;\n  int32 klass = 2;\n}',
  "methods.proto":
    'syntax = "proto3";\npackage methods;\nmessage M {}\nservice AService {\n  rpc then(M) returns (M);\n  rpc then_(M) returns (M);\n' +
    "  rpc new(M) returns (M);\n  rpc new_(M) returns (M);\n  rpc import(M) returns (M);\n  rpc import_(M) returns (M);\n}",
  "module.proto": 'syntax = "proto3";\npackage a._anyplug_table.v1;\nmessage M {}',
  "snake.proto": 'syntax = "proto3";\npackage snake;\nmessage FooBar {}\nmessage Foo_Bar {}',
  "pool.proto": 'syntax = "proto3";\npackage message_pool;\nmessage M {}',
  "values.proto": 'syntax = "proto3";\npackage values;\nenum E {\n  ZERO = 0;\n  mro = 1;\n  morrow = 2;\n}',
};

test("each collision that a language cannot be spared is refused with its place and what to do", async () => {
  const { file } = await compile(schemas);
  // buf refuses fields and values that JSON would have twice; other compilers let an option allow them.
  for (const { messageType, enumType } of file) {
    for (const field of messageType.flatMap((message) => message.field))
      field.name = field.name.replace("klass", "class_");
    for (const value of enumType.flatMap((type) => type.value)) value.name = value.name.replace("morrow", "mro_");
  }
  const [ts, rust, python] = ["ts", "rust", "python"].map((target) =>
    generatedFrom(file, Object.keys(schemas), `target=${target}`),
  );
  expect(ts?.error?.split("\n")).toEqual([
    "methods.proto:6: methods then and then_ of methods.AService would both be called then_. Rename one of them.",
    "snake.proto:3: snake.FooBar and snake.Foo_Bar would both be FooBar in TypeScript: rename one of them",
  ]);
  expect(rust?.error?.split("\n")).toEqual([
    "methods.proto:8: methods new and new_ of methods.AService would both be called new_. Rename one of them.",
  ]);
  expect(python?.error?.split("\n")).toEqual([
    "classes.proto:3, classes.proto:4, classes.proto:5: classes.Any, classes.any and classes.ANY would all be class Any in Python. Rename all but one of them.",
    "fields.proto:4, fields.proto:5: fields class and class_ of fields.M would all be attribute class_ in Python. Rename all but one of them.",
    "methods.proto:10: methods import and import_ of methods.AService would both be called import_. Rename one of them.",
    "module.proto: package a._anyplug_table.v1 is called like a module that is generated for Python. Rename it.",
    "pool.proto: package message_pool is called like a module that is generated for Python. Rename it.",
    "snake.proto:3, snake.proto:4: snake.FooBar and snake.Foo_Bar would all be class FooBar in Python. Rename all but one of them.",
    "values.proto:5, values.proto:6: values mro and mro_ of values.E would all be mro_ in Python. Rename all but one of them.",
  ]);
}, 60_000);
