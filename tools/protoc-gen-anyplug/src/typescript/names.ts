import { posix } from "node:path";
import type { DescEnum, DescFile, DescMessage } from "@bufbuild/protobuf";
import { lowerCamelCase } from "../casing.js";
import type { Options } from "../options.js";
import { nesting } from "../output.js";
import { fileName } from "../source.js";

/** The name of the interface and the codec of a message, or of an enum. */
export function typeName(type: DescMessage | DescEnum): string {
  const around = type.parent === undefined ? [] : nesting(type.parent);
  const name = [...around, type].map((part) => lowerCamelCase(part.name)).join("_");
  return reserved.has(name) ? `${name}_` : name;
}

/** What no type can be called: keywords, the types of the language, and what the codecs call their variables. */
const reserved = new Set(
  (
    "any arguments as async await base bigint boolean break case catch class const continue debugger default delete depth do else end entry enum eval export " +
    "extends false field finally for function held if implements import in infer input instanceof interface into key keyof last length let message never new null " +
    "number object package private protected public reader return static string super switch symbol tag this throw true try type typeof undefined unknown value " +
    "var void while with writer yield"
  ).split(" "),
);

const namesOfFiles = new WeakMap<DescFile, ReadonlySet<string>>();

/** The names of the messages and enums of a file. */
export function typeNames(file: DescFile): ReadonlySet<string> {
  const known = namesOfFiles.get(file);
  if (known !== undefined) return known;
  const names = new Set(file.enums.map(typeName));
  const add = (message: DescMessage): void => {
    for (const type of [message, ...message.nestedEnums]) names.add(typeName(type));
    for (const nested of message.nestedMessages) add(nested);
  };
  for (const message of file.messages) add(message);
  namesOfFiles.set(file, names);
  return names;
}

/** The name of a helper in the module of a file: with underscores when a type of the file is called like it. */
export function helperName(file: DescFile, name: string): string {
  let local = name;
  while (typeNames(file).has(local)) local += "_";
  return local;
}

/** The module of a message or enum, as `from` imports it. */
export function moduleOf(message: DescMessage | DescEnum, from: string, options: Options): string {
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
