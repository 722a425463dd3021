import { create, type DescExtension, type DescFile, type DescMessage, toBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/**
 * The descriptors that stubs of a file carry, for reflection and for comparing schemas: a FileDescriptorSet with the
 * files whose types the file's services reach, each after its imports, without source information.
 *
 * Imports that only give options are left out: options are kept as they are, as bytes that need no import to be read.
 */
export function descriptorSetOf(file: DescFile): Uint8Array {
  const files: Uint8Array[] = [];
  const seen = new Set<DescFile>();
  const add = (next: DescFile) => {
    if (seen.has(next)) return;
    seen.add(next);
    const imports = referencesOf(next);
    for (const imported of imports) add(imported);
    files.push(bytesOf(next, imports));
  };
  add(file);
  // A FileDescriptorSet has nothing but one field with files: the sets of single files, one after the other, are the set of all.
  return Buffer.concat(files);
}

/** Sets of one file: many services reach the same files. */
const sets = new WeakMap<DescFile, Uint8Array>();

function bytesOf(file: DescFile, imports: readonly DescFile[]): Uint8Array {
  const known = sets.get(file);
  if (known !== undefined) return known;
  // Not cloned: the source information is ten times the rest.
  const { sourceCodeInfo: _, ...proto } = file.proto;
  const stripped: FileDescriptorProto = {
    ...proto,
    dependency: imports.map((imported) => imported.proto.name),
    // What was reached through a public import is imported directly now.
    publicDependency: [],
    weakDependency: [],
    optionDependency: [],
  };
  const bytes = toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: [stripped] }));
  sets.set(file, bytes);
  return bytes;
}

/** The other files that a file's messages, extensions and methods refer to, in order of their names. */
export function referencesOf(file: DescFile): DescFile[] {
  const references = new Set(typeReferencesOf(file));
  const visit = (message: DescMessage) => {
    for (const extension of message.nestedExtensions) addExtension(extension);
    message.nestedMessages.forEach(visit);
  };
  const addExtension = (extension: DescExtension) => {
    references.add(extension.extendee.file);
    for (const type of [extension.message, extension.enum]) if (type !== undefined) references.add(type.file);
  };
  file.messages.forEach(visit);
  file.extensions.forEach(addExtension);
  return ordered(references, file);
}

/** The other files that a file's messages and methods refer to, in order of their names: those whose types it needs, options apart. */
export function typeReferencesOf(file: DescFile): DescFile[] {
  const references = new Set<DescFile>();
  const visit = (message: DescMessage) => {
    for (const field of message.fields) {
      for (const type of [field.message, field.enum]) if (type !== undefined) references.add(type.file);
    }
    message.nestedMessages.forEach(visit);
  };
  file.messages.forEach(visit);
  for (const method of file.services.flatMap((service) => service.methods)) {
    references.add(method.input.file).add(method.output.file);
  }
  return ordered(references, file);
}

/** The files, and all whose types they need in turn, in order of their names. */
export function withTypeReferences(files: Iterable<DescFile>): DescFile[] {
  const all = new Set(files);
  // A set gives what is added to it while it is walked, too.
  for (const file of all) for (const next of typeReferencesOf(file)) all.add(next);
  return ordered(all);
}

function ordered(files: Set<DescFile>, without?: DescFile): DescFile[] {
  return [...files].filter((file) => file !== without).sort((a, b) => (a.proto.name < b.proto.name ? -1 : 1));
}
