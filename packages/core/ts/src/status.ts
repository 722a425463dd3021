/** How a call or a connection ended: the payload of END and CANCEL. */

import { Status as WireStatus } from "@anyplug/protocol/anyplug/wire/v1/status.js";
import { Code, codeFromNumber, codeName } from "./code.js";
import { decodeMessage, encodeMessage } from "./codec.js";
import { AnyplugError, type Detail } from "./error.js";
import type { Metadata } from "./header.js";

/** A code, 0 for success, with what goes with it. */
export interface Status {
  readonly code: Code | 0;
  readonly message: string;
  readonly details: readonly Detail[];
  readonly metadata: Metadata;
}

/** Success. */
export const okStatus: Status = { code: 0, message: "", details: [], metadata: [] };

/** Returns a status without details and metadata. */
export function failure(code: Code | 0, message: string): Status {
  return { code, message, details: [], metadata: [] };
}

/** What is left of the message of a status that is too long to be sent, in UTF-16 code units. */
const shortenedLength = 512;

/** Returns the status in bytes; for success without metadata there are none. */
export function encodeStatus(status: Status): Uint8Array {
  return encodeMessage(WireStatus, statusToWire(status));
}

/** The status, or, when its encoding is over `maxBytes`, its code and the beginning of its message. */
export function shortenStatus(status: Status, maxBytes: number): Status {
  const isSmall = status.details.length === 0 && status.metadata.length === 0 && status.message.length < 1024;
  if (isSmall) return status;
  const bytes = encodeStatus(status).length;
  // Room for what goes around it in a GOAWAY.
  const limit = maxBytes - 64;
  if (bytes <= limit) return status;
  const kept = status.message.slice(0, shortenedLength);
  return failure(status.code, `${kept} … (shortened: ${bytes} bytes are over the limit of ${limit})`);
}

/**
 * Reads a status. A code that this version does not know is UNKNOWN, its message kept.
 *
 * @throws Error when the bytes are none.
 */
export function decodeStatus(bytes: Uint8Array): Status {
  if (bytes.length === 0) return okStatus;
  return statusFromWire(decodeMessage(WireStatus, bytes));
}

/** The message that stands for a status. */
export function statusToWire({ code, message, details, metadata }: Status): WireStatus {
  return {
    code,
    message,
    details: details.map(({ typeUrl, value }) => ({ typeUrl, value })),
    metadata: metadata.map(([key, value]) => ({ key, value })),
  };
}

/** Takes over a status that is part of another message. */
export function statusFromWire(status: WireStatus): Status {
  return {
    code: codeFromNumber(status.code),
    message: status.message,
    details: status.details.map(({ typeUrl, value }) => ({ typeUrl, value })),
    metadata: status.metadata.map(({ key, value }) => [key, value] as const),
  };
}

/** Returns the status that tells a peer of an error. Its cause and its stack stay here. */
export function statusOf(error: AnyplugError): Status {
  return { code: error.code, message: error.message, details: error.details, metadata: error.metadata };
}

/** Returns the error that tells a caller of a status. A status of success, which is no failure, gives INTERNAL. */
export function errorOf(status: Status): AnyplugError {
  return new AnyplugError(status.code === 0 ? Code.Internal : status.code, status.message, status);
}

/** A status in words: "NOT_FOUND: there is no such file". */
export function describeStatus({ code, message }: { readonly code: Code | 0; readonly message: string }): string {
  return message === "" ? codeName(code) : `${codeName(code)}: ${message}`;
}
