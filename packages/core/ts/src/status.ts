/** How a call or a connection ended: the payload of END and CANCEL. */

import { Status as WireStatus } from "@anyplug/protocol/anyplug/wire/v1/status.js";
import { Code, codeFromNumber } from "./code.js";
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

/** What a status may take in a frame, so that every peer accepts it, in bytes. */
const maxStatusBytes = 65_536;
/** What is left of the message of a status that takes more, in UTF-16 code units. */
const maxCutMessage = 8192;

/** Returns the status in bytes; for success without metadata there are none. Where it would take over 64 KiB, details, metadata and the end of the message are left out. */
export function encodeStatus(status: Status): Uint8Array {
  return encodeMessage(WireStatus, statusToWire(status));
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

/** The message that stands for a status, cut as by {@link encodeStatus}. */
export function statusToWire({ code, message, details, metadata }: Status): WireStatus {
  const wire = {
    code,
    message,
    details: details.map(({ typeUrl, value }) => ({ typeUrl, value })),
    metadata: metadata.map(([key, value]) => ({ key, value })),
  };
  // At most 3 bytes a code unit: nearly every status is seen to be short without being encoded.
  if (details.length === 0 && metadata.length === 0 && message.length < maxStatusBytes / 4) return wire;
  const bytes = encodeMessage(WireStatus, wire).length;
  if (bytes <= maxStatusBytes) return wire;
  const kept = message.slice(0, maxCutMessage);
  return { code, message: `${kept} (cut: the status took ${bytes} bytes)`, details: [], metadata: [] };
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
