/** Errors of JSON-RPC, and the sixteen codes. */

import { AnyplugError, Code, codeFromName, codeName, type Detail } from "@anyplug/core";
import { type Json, JsonNumber, jsonText } from "@anyplug/json";
import { isArray, member } from "./message.js";

/** What came is not JSON. */
export const parseError = -32_700;
/** What came is no request. */
export const invalidRequest = -32_600;

/** Those that JSON-RPC, or LSP, has a number of its own for; the others are -32000 minus their number. */
const numbers: ReadonlyMap<Code, number> = new Map([
  [Code.Unimplemented, -32_601],
  [Code.InvalidArgument, -32_602],
  [Code.Internal, -32_603],
]);

const codes: ReadonlyMap<string, Code> = new Map([
  ["-32700", Code.Internal],
  ["-32600", Code.Internal],
  ["-32601", Code.Unimplemented],
  ["-32602", Code.InvalidArgument],
  ["-32603", Code.Internal],
  ["-32800", Code.Cancelled],
]);

/** Returns the answer to request `id` that failed. `number` stands in place of that of the code. */
export function failureText(id: string, error: AnyplugError, number?: number): string {
  const { code, message, details } = error;
  const told = details.map(({ typeUrl, value }) => ({ type: nameOf(typeUrl), value: base64(value) }));
  const data = { code: codeName(code), ...(told.length === 0 ? {} : { details: told }) };
  const shown = { code: number ?? numbers.get(code) ?? -32_000 - code, message, data };
  return `{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify(shown)}}`;
}

/** Returns the error that an answer tells of. Without a code of ours in its data it is that of the number, and UNKNOWN for numbers that say nothing. */
export function errorFrom(json: Json): AnyplugError {
  const [number, message, data] = [member(json, "code"), member(json, "message"), member(json, "data")];
  const name = member(data, "code");
  const named = typeof name === "string" ? codeFromName(name) : undefined;
  const numbered = number instanceof JsonNumber ? codes.get(number.text) : undefined;
  const code = named || numbered || Code.Unknown;
  const details = member(data, "details");
  return new AnyplugError(code, typeof message === "string" ? message : jsonText(json), {
    details: isArray(details) ? details.flatMap(detailFrom) : [],
  });
}

const prefix = "type.googleapis.com/";

function nameOf(typeUrl: string): string {
  return typeUrl.startsWith(prefix) ? typeUrl.slice(prefix.length) : typeUrl;
}

/** One that cannot be read is left out: the error is more important. */
function detailFrom(json: Json): Detail[] {
  const [type, value] = [member(json, "type"), member(json, "value")];
  if (typeof type !== "string" || typeof value !== "string") return [];
  try {
    const bytes = Uint8Array.from(atob(value), (character) => character.charCodeAt(0));
    return [{ typeUrl: type.includes("/") ? type : prefix + type, value: bytes }];
  } catch {
    return [];
  }
}

function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
