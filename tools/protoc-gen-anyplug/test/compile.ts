import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { create, createFileRegistry, type FileRegistry, fromBinary } from "@bufbuild/protobuf";
import { CodeGeneratorRequestSchema, type FileDescriptorSet, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { generate } from "../src/plugin.js";

export const root = resolve(import.meta.dirname, "../../..");

const run = promisify(execFile);

/** Schemas by the names of their files. `anyplug/options/v1/options.proto` may be imported without being given. */
export type Schemas = Readonly<Record<string, string>>;

/** Writes schemas to a folder with a buf.yaml and the options of ours. */
export async function writeSchemas(folder: string, schemas: Schemas): Promise<void> {
  const options = "anyplug/options/v1/options.proto";
  const all = {
    ...schemas,
    [options]: await readFile(join(root, "proto", options), "utf8"),
    "buf.yaml": "version: v2\n",
  };
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** Compiles schemas with buf, source information included. */
export async function compile(schemas: Schemas): Promise<FileDescriptorSet> {
  const folder = mkdtempSync(join(tmpdir(), "protoc-gen-anyplug-"));
  try {
    await writeSchemas(folder, schemas);
    const buf = join(root, "node_modules/.bin/buf");
    await run(buf, ["build", "--as-file-descriptor-set", "-o", "set.binpb"], { cwd: folder });
    return fromBinary(FileDescriptorSetSchema, await readFile(join(folder, "set.binpb")));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The descriptors of schemas. */
export async function registryOf(schemas: Schemas): Promise<FileRegistry> {
  return createFileRegistry(await compile(schemas));
}

/** What the plugin makes of schemas: the files by their names, or the error that it gives. */
export async function generated(
  schemas: Schemas,
  parameter: string,
): Promise<{ files: Map<string, string>; error: string | undefined }> {
  const [only] = await generatedEach(schemas, [parameter]);
  return only ?? { files: new Map(), error: "nothing" };
}

/** The same for several options, one after the other. */
export async function generatedEach(
  schemas: Schemas,
  parameters: readonly string[],
): Promise<{ files: Map<string, string>; error: string | undefined }[]> {
  const { file } = await compile(schemas);
  return parameters.map((parameter) => generatedFrom(file, Object.keys(schemas), parameter));
}

/** What the plugin makes of descriptors. */
export function generatedFrom(
  protoFile: FileDescriptorSet["file"],
  fileToGenerate: string[],
  parameter: string,
): { files: Map<string, string>; error: string | undefined } {
  const response = generate(create(CodeGeneratorRequestSchema, { fileToGenerate, parameter, protoFile }));
  return {
    files: new Map(response.file.map((output) => [output.name, output.content])),
    error: response.error || undefined,
  };
}

/** A schema of one file, `a/v1/a.proto`, with this after its package. */
export function schema(body: string): Schemas {
  return { "a/v1/a.proto": `syntax = "proto3";\npackage a.v1;\n${body}\n` };
}
