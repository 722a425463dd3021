import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "@jest/globals";
import { descriptorSetOf } from "../src/descriptor-set.js";
import { registryOf } from "./compile.js";

const schemas = {
  "a.proto": `syntax = "proto3"; package a; import "b.proto"; import "unused.proto"; import "anyplug/options/v1/options.proto";
    // A comment.
    service AService { rpc Get(M) returns (b.Response) { option (anyplug.options.v1.method).idempotent = true; } } message M {}`,
  "b.proto": `syntax = "proto3"; package b; import public "c.proto"; message Response { c.Deep deep = 1; Response again = 2; }`,
  "c.proto": `syntax = "proto3"; package c; import "google/protobuf/any.proto"; message Deep { google.protobuf.Any any = 1; }`,
  "unused.proto": `syntax = "proto3"; package unused; message Unused {}`,
};

test("the embedded descriptors are the files that the services reach, each after its imports, and they link", async () => {
  const file = (await registryOf(schemas)).getFile("a.proto");
  if (file === undefined) throw new Error("no a.proto");
  const set = fromBinary(FileDescriptorSetSchema, descriptorSetOf(file));
  expect(set.file.map(({ name, dependency }) => [name, dependency])).toEqual([
    ["google/protobuf/any.proto", []],
    ["c.proto", ["google/protobuf/any.proto"]],
    ["b.proto", ["c.proto"]],
    ["a.proto", ["b.proto"]],
  ]);
  expect(set.file.filter((proto) => proto.sourceCodeInfo !== undefined)).toEqual([]);
  const service = createFileRegistry(set).getService("a.AService");
  expect(service?.methods.map((method) => [method.name, method.output.typeName])).toEqual([["Get", "b.Response"]]);
  // The option is still there, for whoever knows it.
  expect(service?.methods[0]?.proto.options?.$unknown?.map((field) => field.no)).toEqual([50217]);
});
