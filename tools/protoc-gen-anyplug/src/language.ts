import type { DescFile } from "@bufbuild/protobuf";
import { Edition } from "@bufbuild/protobuf/wkt";
import { withTypeReferences } from "./descriptor-set.js";
import type { Problems } from "./refusal.js";
import { fileName } from "./source.js";

/**
 * Schemas are in proto3. In proto2 and in editions a field may be required, have a default of its own, be a group or an
 * enum that is closed: what the generators of the three languages make of those differs, so both are refused. What is
 * imported only for options may be in any of them. Google's own descriptor.proto is in proto2, and has none of these.
 */
export function checkLanguage(files: readonly DescFile[], problems: Problems): void {
  for (const file of withTypeReferences(files)) {
    if (file.edition === Edition.EDITION_PROTO3 || fileName(file) === "google/protobuf/descriptor.proto") continue;
    const what =
      file.edition === Edition.EDITION_PROTO2 ? "proto2" : `edition ${Edition[file.edition]?.replace("EDITION_", "")}`;
    problems.add(
      `${fileName(file)}:${syntaxLine(file)}: the file is in ${what}, and anyplug generates from proto3. Write syntax = "proto3"; fields ` +
        "that tell absent from default are optional there.",
    );
  }
}

/** Field numbers of FileDescriptorProto: syntax, edition. */
const statements = new Set(["12", "14"]);

function syntaxLine(file: DescFile): number {
  const found = file.proto.sourceCodeInfo?.location.find(({ path }) => statements.has(path.join()));
  return (found?.span[0] ?? 0) + 1;
}
