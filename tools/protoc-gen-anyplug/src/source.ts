import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { FileDescriptorProto, SourceCodeInfo_Location } from "@bufbuild/protobuf/wkt";

/** Field numbers of descriptor.proto that source paths are made of. */
const SERVICE = 6;
const METHOD = 2;

/** The comment at a service or method as lines, without the margin; empty when there is none. */
export function commentOf(desc: DescService | DescMethod): readonly string[] {
  const location = find(desc);
  const text = [location?.leadingComments ?? "", location?.trailingComments ?? ""]
    .map(clean)
    .filter((block) => block !== "");
  return text.length === 0 ? [] : text.join("\n\n").split("\n");
}

/** Where something is in its .proto file, as `file:line`. */
export function placeOf(desc: DescService | DescMethod): string {
  const file = desc.kind === "rpc" ? desc.parent.file : desc.file;
  const line = find(desc)?.span[0];
  return line === undefined ? file.proto.name : `${file.proto.name}:${line + 1}`;
}

/** The path of each file as schemas name it: `eliza_classic/v1/eliza.proto`. */
export function fileName(file: { readonly proto: FileDescriptorProto }): string {
  return file.proto.name;
}

function find(desc: DescService | DescMethod): SourceCodeInfo_Location | undefined {
  const service = desc.kind === "rpc" ? desc.parent : desc;
  const path = [SERVICE, service.file.services.indexOf(service)];
  if (desc.kind === "rpc") path.push(METHOD, service.methods.indexOf(desc));
  const key = path.join();
  return service.file.proto.sourceCodeInfo?.location.find((location) => location.path.join() === key);
}

/** Directions of text could make code read otherwise than it runs; rustc refuses them even in comments. */
const directions = /[\u202a-\u202e\u2066-\u2069\r\0]/g;

function clean(text: string): string {
  return text
    .replace(directions, "")
    .split("\n")
    .map((line) => (line.startsWith(" ") ? line.slice(1) : line).trimEnd())
    .join("\n")
    .replace(/^\n+|\n+$/g, "");
}
