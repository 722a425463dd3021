import type { DescMessage } from "@bufbuild/protobuf";
import { snakeCase, upperCamelCase } from "../casing.js";
import type { Options } from "../options.js";
import { nesting } from "../output.js";

const keywords = new Set(
  (
    "abstract as async await become box break const continue do dyn else enum false final fn for gen if impl in let loop " +
    "macro match mod move mut override priv pub ref return static struct trait true try type typeof unsafe unsized use " +
    "virtual where while yield"
  ).split(" "),
);
const notRaw = new Set(["_", "super", "self", "Self", "extern", "crate"]);

/** prost's rule for a name that Rust does not allow. */
export function identifier(name: string): string {
  if (keywords.has(name)) return `r#${name}`;
  if (notRaw.has(name)) return `${name}_`;
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

/** A method of a client or handler; a client has `new` and `clone` of its own. */
export function methodName(name: string): string {
  return name === "new" || name === "clone" ? `${name}_` : identifier(name);
}

/** The modules of a package: `a.type` gives `a` and `r#type`. */
export function modulesOf(packageName: string): string[] {
  return packageName === "" ? [] : packageName.split(".").map((part) => identifier(snakeCase(part)));
}

/** The file or folder of a module. */
export function fileOf(module: string): string {
  return module.replace(/^r#/, "");
}

/** What prost has types for already, see its `extern_path`. */
const wellKnown: ReadonlyMap<string, string> = new Map([
  [".google.protobuf", "::prost_types"],
  [".google.protobuf.BoolValue", "bool"],
  [".google.protobuf.BytesValue", "::std::vec::Vec<u8>"],
  [".google.protobuf.DoubleValue", "f64"],
  [".google.protobuf.Empty", "()"],
  [".google.protobuf.FloatValue", "f32"],
  [".google.protobuf.Int32Value", "i32"],
  [".google.protobuf.Int64Value", "i64"],
  [".google.protobuf.StringValue", "::std::string::String"],
  [".google.protobuf.UInt32Value", "u32"],
  [".google.protobuf.UInt64Value", "u64"],
]);

/** The path of a message's type, as the module of stubs in package `from` refers to it. */
export function typePath(message: DescMessage, from: string, options: Options): string {
  const external = externPath(`.${message.typeName}`, new Map([...wellKnown, ...options.externPaths]));
  if (external !== undefined) return external;
  const own = modulesOf(from);
  const target = modulesOf(message.file.proto.package);
  let shared = 0;
  while (shared < own.length && own[shared] === target[shared]) shared++;
  // The stubs are in a module of their own inside the package's.
  const up = Array.from({ length: own.length - shared + 1 }, () => "super");
  return [...up, ...target.slice(shared), ...localPath(nesting(message).map((part) => part.name))].join("::");
}

/** Whether a package's messages are somewhere else. */
export function isExternal(packageName: string, options: Options): boolean {
  return externPath(`.${packageName}.X`, new Map([...wellKnown, ...options.externPaths])) !== undefined;
}

function externPath(name: string, paths: ReadonlyMap<string, string>): string | undefined {
  const exact = paths.get(name);
  if (exact !== undefined) return exact;
  for (let at = name.lastIndexOf("."); at > 0; at = name.lastIndexOf(".", at - 1)) {
    const path = paths.get(name.slice(0, at));
    if (path !== undefined) return [path, ...localPath(name.slice(at + 1).split("."))].join("::");
  }
  return undefined;
}

function localPath(names: readonly string[]): string[] {
  return names.map((name, index) => identifier(index < names.length - 1 ? snakeCase(name) : upperCamelCase(name)));
}
