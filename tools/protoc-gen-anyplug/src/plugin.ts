/** What buf and protoc see: a request with schemas in, a response with files out. */
import { create, createFileRegistry, type DescFile, type FileRegistry } from "@bufbuild/protobuf";
import {
  type CodeGeneratorRequest,
  type CodeGeneratorResponse,
  CodeGeneratorResponse_Feature,
  CodeGeneratorResponseSchema,
  Edition,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { descriptorSetOf } from "./descriptor-set.js";
import { checkLanguage } from "./language.js";
import { type Options, parseOptions } from "./options.js";
import type { Output, Source } from "./output.js";
import { pythonPackages } from "./python/packages.js";
import { Problems, Refusal } from "./refusal.js";
import { rustPackages } from "./rust/packages.js";
import { servicesOf } from "./service.js";
import { fileName } from "./source.js";
import { nameStubs } from "./stub-names.js";
import { typescriptMessages } from "./typescript/messages.js";
import { typescriptStub } from "./typescript/stub.js";

/** Returns the generated files, or why there are none: what the schema's author can mend is an error in the response. */
export function generate(request: CodeGeneratorRequest): CodeGeneratorResponse {
  const features = CodeGeneratorResponse_Feature.PROTO3_OPTIONAL | CodeGeneratorResponse_Feature.SUPPORTS_EDITIONS;
  const response = create(CodeGeneratorResponseSchema, {
    supportedFeatures: BigInt(features),
    minimumEdition: Edition.EDITION_PROTO2,
    maximumEdition: Edition.EDITION_2023,
  });
  try {
    const files = [...outputs(request)].sort((a, b) => (a.path < b.path ? -1 : 1));
    response.file = files.map(({ path, content }) => ({
      $typeName: "google.protobuf.compiler.CodeGeneratorResponse.File",
      name: path,
      content,
      insertionPoint: "",
    }));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    response.error = error.message;
  }
  return response;
}

function outputs(request: CodeGeneratorRequest): readonly Output[] {
  const options = withModules(parseOptions(request.parameter), request);
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: request.protoFile }));
  const wanted = new Set(request.fileToGenerate);
  const files = [...registry.files]
    .filter((file) => wanted.has(fileName(file)))
    .sort((a, b) => (fileName(a) < fileName(b) ? -1 : 1));
  const problems = new Problems();
  checkLanguage(files, problems);
  const sources = options.services ? sourcesOf(files, registry, problems) : [];
  const written = problems.collect(() => write(files, sources, registry, options, problems)) ?? [];
  checkDistinct(written, problems);
  problems.throwIfAny();
  return written;
}

function checkDistinct(files: readonly Output[], problems: Problems): void {
  const paths = new Set<string>();
  for (const { path } of files) {
    if (paths.has(path)) {
      problems.add(`two .proto files of one package would be written to ${path}: rename one of them`);
    }
    paths.add(path);
  }
}

/** What TypeScript has in @anyplug/protocol, unless it is to be generated: the well-known types, and anyplug's own. */
function withModules(options: Options, request: CodeGeneratorRequest): Options {
  const generated = new Set(request.fileToGenerate);
  const shared = request.protoFile
    .map(({ name }) => name)
    .filter(
      (name) => /^(google\/protobuf|anyplug\/(options|plugin|reflection|wire))\//.test(name) && !generated.has(name),
    )
    .map((name) => [name, `@anyplug/protocol/${name.replace(/\.proto$/, ".js")}`] as const);
  return { ...options, modules: new Map([...shared, ...options.modules]) };
}

function write(
  files: readonly DescFile[],
  sources: readonly Source[],
  registry: FileRegistry,
  options: Options,
  problems: Problems,
): readonly Output[] {
  switch (options.target) {
    case "ts":
      return typescript(files, sources, options, problems);
    case "rust":
      return rustPackages(files, sources, registry.files, options, problems);
    case "python":
      return pythonPackages(files, sources, options, problems);
  }
}

function typescript(
  files: readonly DescFile[],
  sources: readonly Source[],
  options: Options,
  problems: Problems,
): readonly Output[] {
  const stubs = sources.flatMap((source) => problems.collect(() => typescriptStub(source, options)) ?? []);
  const messages = options.messages ? files.map((file) => typescriptMessages(file, options, problems)) : [];
  return [...messages, ...stubs];
}

function sourcesOf(files: readonly DescFile[], registry: FileRegistry, problems: Problems): Source[] {
  const names = nameStubs(registry.files, problems);
  return files
    .filter((file) => file.services.length > 0)
    .map((desc) => ({
      desc,
      path: fileName(desc),
      package: desc.proto.package,
      services: servicesOf(desc, registry, names),
      descriptorSet: descriptorSetOf(desc),
    }));
}
