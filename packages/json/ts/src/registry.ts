/** The descriptors of a set of types. */

import { AnyplugError, Code } from "@anyplug/core";
import { create, createFileRegistry, fromBinary, type Registry } from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorSetSchema,
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
} from "@bufbuild/protobuf/wkt";

const WELL_KNOWN = [
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
];

/**
 * Returns the types of all sets and the well-known ones; of files with one name the first.
 *
 * @throws AnyplugError with INVALID_ARGUMENT when the bytes of a set are none, or an import is missing.
 */
export function registryOf(sets: readonly Uint8Array[]): Registry {
  try {
    const files = new Map<string, FileDescriptorProto>();
    for (const set of sets) {
      for (const file of fromBinary(FileDescriptorSetSchema, set).file) {
        if (!files.has(file.name)) files.set(file.name, file);
      }
    }
    for (const { proto } of WELL_KNOWN) files.set(proto.name, proto);
    return createFileRegistry(create(FileDescriptorSetSchema, { file: [...files.values()] }));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AnyplugError(Code.InvalidArgument, `a descriptor set cannot be used: ${reason}`, { cause: error });
  }
}
