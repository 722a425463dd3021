import type {
  DescEnum,
  DescEnumValue,
  DescField,
  DescFile,
  DescMessage,
  DescMethod,
  DescOneof,
  DescService,
} from "@bufbuild/protobuf";
import type { FileDescriptorProto, SourceCodeInfo_Location } from "@bufbuild/protobuf/wkt";

/** What of a schema has a place and a comment. */
export type Declared = DescEnum | DescEnumValue | DescField | DescMessage | DescMethod | DescOneof | DescService;

/** Field numbers of descriptor.proto that source paths are made of. */
const inFile = { message: 4, enum: 5, service: 6 };
const inMessage = { field: 2, message: 3, enum: 4, oneof: 8 };
const inEnum = { value: 2 };
const inService = { method: 2 };

/** The comment at something as lines, without the margin; empty when there is none. */
export function commentOf(desc: Declared): readonly string[] {
  const location = find(desc);
  const text = [location?.leadingComments ?? "", location?.trailingComments ?? ""]
    .map(clean)
    .filter((block) => block !== "");
  return text.length === 0 ? [] : text.join("\n\n").split("\n");
}

/** Where something is in its .proto file, as `file:line`; the file itself has no line. */
export function placeOf(desc: Declared | DescFile): string {
  if (desc.kind === "file") return desc.proto.name;
  const file = fileOf(desc);
  const line = find(desc)?.span[0];
  return line === undefined ? file.proto.name : `${file.proto.name}:${line + 1}`;
}

/** The path of each file as schemas name it: `eliza_classic/v1/eliza.proto`. */
export function fileName(file: { readonly proto: FileDescriptorProto }): string {
  return file.proto.name;
}

/** The name of a type within its package: `Outer.Inner`. */
export function localName(type: DescMessage | DescEnum): string {
  const { package: packageName } = type.file.proto;
  return packageName === "" ? type.typeName : type.typeName.slice(packageName.length + 1);
}

function fileOf(desc: Declared): DescFile {
  switch (desc.kind) {
    case "field":
    case "rpc":
    case "oneof":
    case "enum_value":
      return desc.parent.file;
    default:
      return desc.file;
  }
}

/** The locations of each file by their paths: a file has tens of thousands. */
const locations = new WeakMap<DescFile, ReadonlyMap<string, SourceCodeInfo_Location>>();

function find(desc: Declared): SourceCodeInfo_Location | undefined {
  const file = fileOf(desc);
  let known = locations.get(file);
  if (known === undefined) {
    known = new Map(file.proto.sourceCodeInfo?.location.map((location) => [location.path.join(), location]));
    locations.set(file, known);
  }
  return known.get(pathOf(desc));
}

/** Indices are those of descriptors, in which the entries of maps are messages too. */
function pathOf(desc: Declared): string {
  switch (desc.kind) {
    case "service":
      return `${inFile.service},${desc.file.proto.service.indexOf(desc.proto)}`;
    case "rpc":
      return `${pathOf(desc.parent)},${inService.method},${desc.parent.proto.method.indexOf(desc.proto)}`;
    case "field":
      return `${pathOf(desc.parent)},${inMessage.field},${desc.parent.proto.field.indexOf(desc.proto)}`;
    case "oneof":
      return `${pathOf(desc.parent)},${inMessage.oneof},${desc.parent.proto.oneofDecl.indexOf(desc.proto)}`;
    case "enum_value":
      return `${pathOf(desc.parent)},${inEnum.value},${desc.parent.proto.value.indexOf(desc.proto)}`;
    case "message":
      return desc.parent === undefined
        ? `${inFile.message},${desc.file.proto.messageType.indexOf(desc.proto)}`
        : `${pathOf(desc.parent)},${inMessage.message},${desc.parent.proto.nestedType.indexOf(desc.proto)}`;
    case "enum":
      return desc.parent === undefined
        ? `${inFile.enum},${desc.file.proto.enumType.indexOf(desc.proto)}`
        : `${pathOf(desc.parent)},${inMessage.enum},${desc.parent.proto.enumType.indexOf(desc.proto)}`;
  }
}

/** Directions of text could make code read otherwise than it runs; rustc refuses them even in comments. */
const directions = /[\u202a-\u202e\u2066-\u2069\r\0]/g;

function clean(text: string): string {
  if (text === "") return text;
  return text
    .replace(directions, "")
    .split("\n")
    .map((line) => (line.startsWith(" ") ? line.slice(1) : line).trimEnd())
    .join("\n")
    .replace(/^\n+|\n+$/g, "");
}
