/** Free JSON: what plugins and hosts tell each other beyond the schema. */

import { AnyplugError, Code } from "@anyplug/core";

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object. */
export type JsonObject = { readonly [name: string]: Json | undefined };

/** The JSON in a `_json` member; undefined when it is empty. `where` is the member's name, for the error. */
export function parseJson(text: string, where: string): Json | undefined {
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AnyplugError(Code.InvalidArgument, `${where} is not JSON: ${reason}`, { cause: error });
  }
}

/** As `parseJson`, and INVALID_ARGUMENT for JSON that is no object. */
export function parseObject(text: string, where: string): JsonObject | undefined {
  const value = parseJson(text, where);
  if (value === undefined || isObject(value)) return value;
  throw new AnyplugError(Code.InvalidArgument, `${where}: expected an object, got ${short(text)}`);
}

/** As `parseJson`, and INVALID_ARGUMENT for JSON that is no list. */
export function parseList(text: string, where: string): readonly Json[] | undefined {
  const value = parseJson(text, where);
  if (value === undefined || Array.isArray(value)) return value;
  throw new AnyplugError(Code.InvalidArgument, `${where}: expected a list, got ${short(text)}`);
}

/** The text of a `_json` member: empty for undefined. What JSON does not know, a function or a bigint, is INVALID_ARGUMENT. */
export function printJson(value: unknown, where: string): string {
  if (value === undefined) return "";
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AnyplugError(Code.InvalidArgument, `${where} has no JSON: ${reason}`, { cause: error });
  }
  if (text === undefined) throw new AnyplugError(Code.InvalidArgument, `${where} has no JSON: it is a ${typeof value}`);
  return text;
}

/** Whether the value is a JSON object, and no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
