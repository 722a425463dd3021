import { beforeAll, describe, expect, test } from "@jest/globals";
import { canonicalText, fingerprintOf } from "../src/fingerprint.js";
import { registryOf, type Schemas } from "./compile.js";

const base = `
  import "google/protobuf/timestamp.proto";

  // Does things.
  service ThingService {
    rpc Get(GetRequest) returns (GetResponse);
    rpc Watch(GetRequest) returns (stream GetResponse);
  }
  message GetRequest {
    string name = 1;
    int32 count = 2;
    repeated sint64 deltas = 3;
    optional bool flag = 4;
    Color color = 5;
    google.protobuf.Timestamp at = 6;
  }
  message GetResponse {
    map<string, Part> parts = 1;
    oneof result {
      string text = 2;
      fixed32 number = 3;
    }
    double size = 4;
  }
  message Part {
    Part inner = 1;
    bytes data = 2;
  }
  message Unrelated {
    string text = 1;
  }
  enum Color {
    COLOR_UNSPECIFIED = 0;
    COLOR_RED = 1;
  }
`;

const part = / +message Part \{[^}]*\}/;

/** One schema after another, each in a package of its own, so that all are compiled at once. */
const variants: Schemas[] = [];

/** Declares a schema and returns its place. The edits are made to the base. */
function variant(...edits: readonly (readonly [from: string | RegExp, to: string])[]): number {
  let text = base;
  for (const [from, to] of edits) {
    const edited = text.replace(from, to);
    if (edited === text) throw new Error(`nothing to edit: ${from}`);
    text = edited;
  }
  return add((name) => ({ [`${name}/thing.proto`]: proto(name, text) }));
}

function add(schemas: (name: string) => Schemas): number {
  return variants.push(schemas(`variant${variants.length}`)) - 1;
}

function proto(name: string, body: string): string {
  return `syntax = "proto3";\npackage ${name};\n${body}`;
}

const texts: string[] = [];

beforeAll(async () => {
  const registry = await registryOf(Object.assign({}, ...variants));
  for (const index of variants.keys()) {
    const service = registry.getService(`variant${index}.ThingService`);
    if (service === undefined) throw new Error(`variant ${index} has no ThingService`);
    expect(fingerprintOf(service)).toMatch(/^[0-9a-f]{32}$/);
    texts.push(canonicalText(service).replaceAll(`variant${index}.`, "thing.v1."));
  }
});

const original = variant();

test("the hashed text is as documented", () => {
  expect(texts[original]).toBe(
    `anyplug fingerprint 1
service thing.v1.ThingService
method Get unary thing.v1.GetRequest thing.v1.GetResponse
method Watch server_stream thing.v1.GetRequest thing.v1.GetResponse
message google.protobuf.Timestamp
field 1 singular varint
field 2 singular varint
message thing.v1.GetRequest
field 1 singular bytes
field 2 singular varint
field 3 repeated zigzag
field 4 singular varint
field 5 singular varint
field 6 singular message google.protobuf.Timestamp
message thing.v1.GetResponse
field 1 map bytes message thing.v1.Part
field 2 singular bytes
field 3 singular fixed32
field 4 singular double
oneof 2 3
message thing.v1.Part
field 1 singular message thing.v1.Part
field 2 singular bytes
`,
  );
});

describe("the fingerprint stays when", () => {
  const cases: [string, number][] = [
    ["a comment changes", variant(["Does things.", "Does other things."])],
    ["fields change places", variant([/( +string name = 1;\n)( +int32 count = 2;\n)/, "$2$1"])],
    ["methods change places", variant([/( +rpc Get.*\n)( +rpc Watch.*\n)/, "$2$1"])],
    ["messages change places", variant([/( +message Part \{[^}]*\}\n)( +message Unrelated \{[^}]*\}\n)/, "$2$1"])],
    ["members of a oneof change places", variant([/( +string text = 2;\n)( +fixed32 number = 3;\n)/, "$2$1"])],
    ["a field is renamed", variant(["string name = 1", "string title = 1"])],
    ["a oneof is renamed", variant(["oneof result", "oneof outcome"])],
    ["an enum is renamed", variant([/\bColor\b/g, "Colour"])],
    ["an enum gains a value", variant(["COLOR_RED = 1;", "COLOR_RED = 1; COLOR_GREEN = 2;"])],
    ["presence is tracked", variant(["string name = 1", "optional string name = 1"])],
    ["a field is no longer packed", variant(["deltas = 3", "deltas = 3 [packed = false]"])],
    ["a field is deprecated", variant(["string name = 1", "string name = 1 [deprecated = true]"])],
    [
      "a method gets an option",
      variant(["returns (GetResponse);", "returns (GetResponse) { option deprecated = true; }"]),
    ],
    ["an integer becomes wider", variant(["int32 count", "int64 count"])],
    ["an integer becomes unsigned", variant(["int32 count", "uint32 count"])],
    ["an enum becomes an integer", variant(["Color color = 5", "int32 color = 5"])],
    ["text becomes bytes", variant(["string name", "bytes name"])],
    ["a number loses its sign at fixed width", variant(["fixed32 number", "sfixed32 number"])],
    ["a message that is not reached changes", variant(["message Unrelated {", "message Unrelated { int32 more = 2;"])],
    [
      "another service comes",
      variant(["message Part", "service OtherService { rpc Get(GetRequest) returns (GetResponse); } message Part"]),
    ],
    ["a number is reserved", variant(["message Part {", "message Part { reserved 9;"])],
    ["the file has another name", add((name) => ({ [`${name}/other/file.proto`]: proto(name, base) }))],
    [
      "messages move to another file of the package",
      add((name) => ({
        [`${name}/thing.proto`]: proto(name, `import "${name}/part.proto";${base.replace(part, "")}`),
        [`${name}/part.proto`]: proto(name, part.exec(base)?.[0] ?? ""),
      })),
    ],
  ];

  test.each(cases)("%s", (_, changed) => {
    expect(texts[changed]).toBe(texts[original]);
  });
});

describe("the fingerprint changes when", () => {
  const cases: [string, number][] = [
    ["a field is added", variant(["string name = 1;", "string name = 1; string more = 9;"])],
    ["a field is removed", variant(["int32 count = 2;", ""])],
    ["a field gets another number", variant(["count = 2", "count = 9"])],
    ["a nested field is added", variant(["bytes data = 2;", "bytes data = 2; bytes more = 9;"])],
    ["a field's encoding changes", variant(["int32 count", "fixed32 count"])],
    ["zigzag is dropped", variant(["sint64 deltas", "int64 deltas"])],
    ["a double becomes a fixed64", variant(["double size", "fixed64 size"])],
    ["a field becomes repeated", variant(["string name", "repeated string name"])],
    ["a message field has another type", variant(["Part inner", "Unrelated inner"])],
    ["a map gets another key", variant(["map<string, Part>", "map<int32, Part>"])],
    ["a map gets another value", variant(["map<string, Part>", "map<string, Unrelated>"])],
    ["a map becomes a list", variant(["map<string, Part>", "repeated Part"])],
    ["a method is added", variant(["rpc Get(", "rpc Put(GetRequest) returns (GetResponse);\nrpc Get("])],
    ["a method is removed", variant([/ +rpc Watch.*\n/, ""])],
    ["a method is renamed", variant(["rpc Watch", "rpc Observe"])],
    ["a method no longer streams", variant(["returns (stream GetResponse)", "returns (GetResponse)"])],
    ["a method streams its requests", variant(["rpc Get(GetRequest)", "rpc Get(stream GetRequest)"])],
    ["a method returns another message", variant(["returns (GetResponse)", "returns (Unrelated)"])],
    ["a reached message is renamed", variant([/\bPart\b/g, "Piece"])],
  ];

  test.each(cases)("%s", (_, changed) => {
    expect(texts[changed]).not.toBe(texts[original]);
  });
});

const oneof = /oneof result \{\s+(string text = 2;)\s+(fixed32 number = 3;)\s+\}/;
const apart = variant([oneof, "$1 $2"]);
const single = variant([oneof, "oneof result { $1 } $2"]);

test("fields that leave a oneof change the fingerprint; a oneof of one field is none", () => {
  expect(texts[apart]).not.toBe(texts[original]);
  expect(texts[single]).toBe(texts[apart]);
});
