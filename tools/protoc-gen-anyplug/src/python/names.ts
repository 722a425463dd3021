import type { DescEnum, DescMessage } from "@bufbuild/protobuf";
import { betterprotoClassName, betterprotoSnakeCase } from "../casing.js";

const keywords = new Set(
  (
    "False None True and as assert async await break class continue def del elif else except finally for from global if " +
    "import in is lambda nonlocal not or pass raise return try while with yield"
  ).split(" "),
);

/** Whether a name cannot be used at all. */
export function isKeyword(name: string): boolean {
  return keywords.has(name);
}

/** A name that a method can have. */
export function methodName(name: string): string {
  if (keywords.has(name)) return `${name}_`;
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

/** The attribute that betterproto2 makes of a field. */
export function attributeName(field: string): string {
  return methodName(betterprotoSnakeCase(field));
}

/** The class that betterproto2 makes of a message or enum: nested ones are at the top of their package's module too. */
export function className(type: DescMessage | DescEnum): string {
  const { package: packageName } = type.file.proto;
  const local = packageName === "" ? type.typeName : type.typeName.slice(packageName.length + 1);
  const name = betterprotoClassName(local);
  return keywords.has(name) ? `${name}_` : name;
}

/** The module of a package, as a module in package `from` imports it. */
export function packageModule(packageName: string, from: string): string {
  if (packageName === from) return ".";
  const up = from === "" ? 0 : from.split(".").length;
  return ".".repeat(up + 1) + packageName;
}
