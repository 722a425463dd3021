import { clone, create, type DescFile, type DescMessage, toBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/**
 * The descriptors that stubs of a file carry, for reflection and for comparing schemas: a FileDescriptorSet with the
 * files whose types the file's services reach, each after its imports, without source information.
 *
 * Imports that only give options are left out: options are kept as they are, as bytes that need no import to be read.
 */
export function descriptorSetOf(file: DescFile): Uint8Array {
  const files: FileDescriptorProto[] = [];
  const seen = new Set<DescFile>();
  const add = (next: DescFile) => {
    if (seen.has(next)) return;
    seen.add(next);
    const imports = referencesOf(next);
    for (const imported of imports) add(imported);
    files.push(stripped(next, imports));
  };
  add(file);
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: files }));
}

function stripped(file: DescFile, imports: readonly DescFile[]): FileDescriptorProto {
  const proto = clone(FileDescriptorProtoSchema, file.proto);
  proto.dependency = imports.map((imported) => imported.proto.name);
  // What was reached through a public import is imported directly now.
  proto.publicDependency = [];
  proto.weakDependency = [];
  proto.optionDependency = [];
  delete proto.sourceCodeInfo;
  return proto;
}

/** The other files that a file's messages, extensions and methods refer to, in order of their names. */
export function referencesOf(file: DescFile): DescFile[] {
  const references = new Set<DescFile>();
  const visit = (message: DescMessage) => {
    for (const field of [...message.fields, ...message.nestedExtensions]) {
      for (const type of [field.message, field.enum]) if (type !== undefined) references.add(type.file);
    }
    for (const extension of message.nestedExtensions) references.add(extension.extendee.file);
    message.nestedMessages.forEach(visit);
  };
  file.messages.forEach(visit);
  for (const extension of file.extensions) {
    references.add(extension.extendee.file);
    for (const type of [extension.message, extension.enum]) if (type !== undefined) references.add(type.file);
  }
  for (const method of file.services.flatMap((service) => service.methods)) {
    references.add(method.input.file).add(method.output.file);
  }
  references.delete(file);
  return [...references].sort((a, b) => (a.proto.name < b.proto.name ? -1 : 1));
}
