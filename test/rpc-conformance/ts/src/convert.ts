/** Between what anyplug has and what the suite's messages say. */

import { AnyplugError, Code, codeFromNumber, type Metadata } from "@anyplug/sdk";
import type { Header, Error as WireError } from "./generated/connectrpc/conformance/v1/service.js";

const typeUrlPrefix = "type.googleapis.com/connectrpc.conformance.v1.";

/** A generated message type. */
interface MessageType<T> {
  encode(message: T): { finish(): Uint8Array };
}

/** Returns a message with its type: the suite's own are known by their names alone. */
export function pack<T>(name: string, type: MessageType<T>, message: T): { typeUrl: string; value: Uint8Array } {
  return { typeUrl: typeUrlPrefix + name, value: type.encode(message).finish() };
}

/** Returns metadata by names, in the order in which these came first. */
export function headersOf(metadata: Metadata): { name: string; value: string[] }[] {
  const headers = new Map<string, string[]>();
  for (const [name, value] of metadata) headers.set(name, [...(headers.get(name) ?? []), value]);
  return [...headers].map(([name, value]) => ({ name, value }));
}

/** Returns headers as metadata, whose keys are in lower case. */
export function metadataOf(headers: readonly Header[]): Metadata {
  return headers.flatMap(({ name, value }) => value.map((one) => [name.toLowerCase(), one] as const));
}

/** Returns an error as a client reports it. */
export function reportOf(reason: unknown): { code: number; message: string; details: WireError["details"] } {
  const { code, message, details } = AnyplugError.from(reason);
  return { code, message, details: [...details] };
}

/** Returns the error that a request asks for, with another detail behind its own. */
export function errorOf(error: WireError, ...details: WireError["details"]): AnyplugError {
  const code = codeFromNumber(error.code) || Code.Unknown;
  return new AnyplugError(code, error.message ?? "", { details: [...error.details, ...details] });
}
