import { posix } from "node:path";
import type { DescMessage } from "@bufbuild/protobuf";
import { tsProtoName } from "../casing.js";
import type { Options } from "../options.js";
import { nesting } from "../output.js";
import { fileName } from "../source.js";

/** The name that ts-proto gives the interface and the codec of a message. */
export function typeName(message: DescMessage): string {
  const name = nesting(message)
    .map((part) => tsProtoName(part.name))
    .join("_");
  return name === "Date" || name === "Function" ? `${name}Message` : name;
}

/** The module of a message, as the stubs of `from` import it. */
export function moduleOf(message: DescMessage, from: string, options: Options): string {
  const file = fileName(message.file);
  const mapped = options.modules.get(file);
  if (mapped !== undefined) return mapped;
  const relative = posix.relative(posix.dirname(from), file.replace(/\.proto$/, ""));
  return `${relative.startsWith(".") ? "" : "./"}${relative}${options.importSuffix}`;
}

/** Members that every object has, or that make it something else: an object with `then` cannot be awaited. */
const special = new Set(
  (
    "constructor hasOwnProperty isPrototypeOf propertyIsEnumerable then toJSON toLocaleString toString valueOf __proto__ " +
    "__defineGetter__ __defineSetter__ __lookupGetter__ __lookupSetter__"
  ).split(" "),
);

/** A name that a method of a client or handler can have. Keywords can be members, so there are few that cannot. */
export function memberName(name: string): string {
  if (special.has(name)) return `${name}_`;
  return /^[0-9]/.test(name) ? `_${name}` : name;
}
