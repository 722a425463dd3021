import { expect, test } from "@jest/globals";
import { Problems } from "../src/refusal.js";
import { nameStubs } from "../src/stub-names.js";
import { generated, registryOf, schema } from "./compile.js";

async function stubs(body: string): Promise<string[]> {
  const registry = await registryOf(schema(body));
  const names = nameStubs(registry.files, new Problems());
  return registry.getFile("a/v1/a.proto")?.services.map((service) => names.of(service)) ?? [];
}

test.each([
  ["the suffix is dropped", "service ElizaService {}", ["Eliza"]],
  ["a name without the suffix is whole", "service Eliza {}", ["Eliza"]],
  ["a service called Service keeps its name", "service Service {}", ["Service"]],
  ["snake case becomes a type's name", "service chat_room_service {}", ["ChatRoom"]],
  ["a message of the short name is in the way", "service ElizaService {} message Eliza {}", ["ElizaService"]],
  ["an enum of a client's name is in the way", "service ElizaService {} enum ElizaClient { X = 0; }", ["ElizaService"]],
  [
    "so is a nested message, which Python has at the top",
    "service ElizaService {} message Eli { message zaHandler {} }",
    ["Eliza"],
  ],
  [
    "so is one that is called alike there",
    "service ElizaService {} message ELIZA { message Client {} }",
    ["ElizaService"],
  ],
  ["two services do not share a name", "service ElizaService {} service Eliza {}", ["ElizaService", "Eliza"]],
  ["a whole name in use gets the suffix", "service Eliza {} message ElizaHandler {}", ["ElizaService"]],
  [
    "names of the languages are not taken",
    "service SelfService {} service NoneService {} service PromiseService {}",
    ["SelfService", "NoneService", "PromiseService"],
  ],
])("stub names: %s", async (_, body, expected) => {
  expect(await stubs(body)).toEqual(expected);
});

test("a service that no stub can be named after is refused, with its place and what to do", async () => {
  const body = "message ElizaClient {}\nmessage ElizaServiceClient {}\nservice Eliza {}";
  const { error, files } = await generated(schema(body), "target=ts");
  expect(error).toMatch(/^a\/v1\/a\.proto:5: .*a\.v1\.Eliza\b.* Rename the service\.$/);
  expect(files.size).toBe(0);
});

const messages = "message M {}";

async function methods(rpcs: readonly string[], target: string, pattern: RegExp): Promise<string[]> {
  const body = `service TestService { ${rpcs.map((rpc) => `rpc ${rpc}(M) returns (M);`).join(" ")} } ${messages}`;
  const { files, error } = await generated(schema(body), `target=${target}`);
  if (error !== undefined) throw new Error(error);
  const text = [...files]
    .filter(([name]) => !/(mod|messages)\.rs$/.test(name))
    .map(([, content]) => content)
    .join();
  return [...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ""))];
}

test("methods are called as each language calls them, keywords and special members apart", async () => {
  const rpcs = ["Delete", "Import", "New", "Then", "Self"];
  expect(await methods(rpcs, "ts", /localName: "(\w+)"/g)).toEqual(["delete", "import", "new", "then_", "self"]);
  expect(await methods(rpcs, "rust", /pub fn (\S+)\(\n/g)).toEqual(["delete", "import", "new_", "then", "self_"]);
  expect(await methods(rpcs, "python", /local_name="(\w+)"/g)).toEqual(["delete", "import_", "new", "then", "self"]);
});

test("methods that differ by case only keep the names of the schema", async () => {
  const rpcs = ["GetURL", "GetUrl", "get_url", "Other"];
  expect(await methods(rpcs, "ts", /localName: "(\w+)"/g)).toEqual(["getURL", "GetUrl", "get_url", "other"]);
  expect(await methods(rpcs, "rust", /pub fn (\S+)\(\n/g)).toEqual(["GetURL", "GetUrl", "get_url", "other"]);
  expect(await methods(rpcs, "python", /local_name="(\w+)"/g)).toEqual(["GetURL", "GetUrl", "get_url", "other"]);
});

test("a package that Python cannot import is refused for Python only", async () => {
  const schemas = { "a.proto": 'syntax = "proto3"; package a.class.v1; service AService {}' };
  expect((await generated(schemas, "target=python")).error).toMatch(/^a\.proto: .*a\.class\.v1.*"class" is a keyword/);
  expect((await generated(schemas, "target=rust")).files.has("a/class/v1/services.rs")).toBe(true);
  expect((await generated(schemas, "target=rust")).files.get("a/mod.rs")).toContain("pub mod class;");
});
