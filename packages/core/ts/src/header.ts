/** The call header: timeout, metadata, trace context, origin. */

import { CallHeader as WireHeader } from "@anyplug/protocol/anyplug/wire/v1/call.js";
import { Code } from "./code.js";
import { decodeMessage, encodeMessage } from "./codec.js";
import { AnyplugError } from "./error.js";
import { frameAllowanceBytes } from "./limits.js";

/** Pairs of key and value. A key may occur more than once, and order is kept. */
export type Metadata = readonly (readonly [key: string, value: string])[];

/** What goes before the first message of a direction of a call. */
export interface CallHeader {
  /** Milliseconds that remain; undefined: no deadline. */
  readonly timeoutMs: number | undefined;
  readonly metadata: Metadata;
  readonly traceparent: string;
  readonly tracestate: string;
  /** The names of those whose calls led to this one, the first cause first. */
  readonly origin: readonly string[];
}

/** A header that says nothing. */
export const emptyHeader: CallHeader = {
  timeoutMs: undefined,
  metadata: [],
  traceparent: "",
  tracestate: "",
  origin: [],
};

/** The largest timeout that a header holds, in milliseconds: 49 days. */
export const maxTimeoutMs = 0xffff_ffff;

/** Returns the header in bytes. */
export function encodeHeader(header: CallHeader): Uint8Array {
  const { timeoutMs, metadata, traceparent, tracestate, origin } = header;
  if (
    timeoutMs !== undefined &&
    metadata.length === 0 &&
    origin.length === 0 &&
    traceparent === "" &&
    tracestate === ""
  ) {
    return encodeTimeout(timeoutMs);
  }
  const pairs = metadata.map(([key, value]) => ({ key, value }));
  return encodeMessage(WireHeader, { timeoutMs, metadata: pairs, traceparent, tracestate, origin: [...origin] });
}

/** The longest call header, in bytes: what the frame's allowance leaves for it. */
const maxHeaderBytes = frameAllowanceBytes - 4;

/**
 * Returns the header in bytes, as it may be sent.
 *
 * @throws AnyplugError INVALID_ARGUMENT for a bad metadata key, RESOURCE_EXHAUSTED for a header that is too long.
 */
export function encodeCheckedHeader(header: CallHeader): Uint8Array {
  for (const [key, value] of header.metadata) checkMetadata(key, value);
  const bytes = encodeHeader(header);
  if (bytes.length <= maxHeaderBytes) return bytes;
  const message = `a call header of ${bytes.length} bytes is over the limit of ${maxHeaderBytes} bytes; send less metadata`;
  throw new AnyplugError(Code.ResourceExhausted, message);
}

/** The header of most calls: field 1 as a varint, nothing else. The timeout is mostly that of the call before. */
function encodeTimeout(timeoutMs: number): Uint8Array {
  if (timeoutMs === lastTimeoutMs) return lastTimeout;
  const bytes = [0x08];
  let rest = timeoutMs;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  lastTimeoutMs = timeoutMs;
  lastTimeout = Uint8Array.from(bytes);
  return lastTimeout;
}

let lastTimeoutMs = 0;
let lastTimeout: Uint8Array = Uint8Array.of(0x08, 0x00);

/**
 * Reads a header.
 *
 * @throws Error when the bytes are none.
 */
export function decodeHeader(bytes: Uint8Array): CallHeader {
  const header = decodeMessage(WireHeader, bytes);
  return {
    timeoutMs: header.timeoutMs,
    metadata: header.metadata.map(({ key, value }) => [key, value] as const),
    traceparent: header.traceparent,
    tracestate: header.tracestate,
    origin: header.origin,
  };
}

/** Returns a header that gives a timeout and says nothing else. */
export function timeoutHeader(timeoutMs: number): CallHeader {
  return { timeoutMs, metadata: noMetadata, traceparent: "", tracestate: "", origin: noOrigin };
}

/** Reads the header of most calls, a timeout alone, of up to 28 bits; undefined when it is another. */
export function decodeTimeout(bytes: Uint8Array, from: number, to: number): number | undefined {
  if (to - from < 2 || to - from > 5 || bytes[from] !== 0x08) return undefined;
  let value = 0;
  for (let at = from + 1, shift = 0; at < to; at++, shift += 7) {
    const byte = bytes[at] as number;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return at === to - 1 ? value : undefined;
  }
  return undefined;
}

const noOrigin: readonly string[] = [];
const noMetadata: Metadata = [];
const keyPattern = /^[a-z0-9_.-]+$/;

/**
 * Returns metadata as pairs.
 *
 * @throws AnyplugError INVALID_ARGUMENT when a key is not of lower-case ASCII letters, digits, `_`, `.` and `-`.
 */
export function metadataFrom(metadata: Readonly<Record<string, string>> | Metadata | undefined): Metadata {
  if (metadata === undefined) return noMetadata;
  const pairs = isPairs(metadata) ? metadata : Object.entries(metadata);
  for (const [key, value] of pairs) checkMetadata(key, value);
  return pairs;
}

/** Refuses a pair that cannot be sent. */
export function checkMetadata(key: string, value: string): void {
  if (!keyPattern.test(key)) {
    const rule = "keys are made of lower-case letters, digits, '_', '.' and '-'";
    throw new AnyplugError(Code.InvalidArgument, `metadata key "${key}" cannot be sent: ${rule}`);
  }
  if (typeof value !== "string") {
    throw new AnyplugError(Code.InvalidArgument, `the value of metadata "${key}" is a ${typeof value}; give a string`);
  }
}

function isPairs(metadata: Readonly<Record<string, string>> | Metadata): metadata is Metadata {
  return Array.isArray(metadata);
}

/** The most names that the origin of a call may have. */
const maxOriginNames = 16;

/** Says why a call may not be handled for what led to it, if so: FAILED_PRECONDITION. */
export function originRefusal({ length }: readonly string[]): AnyplugError | undefined {
  return length <= maxOriginNames ? undefined : tooManyOrigins(length);
}

function tooManyOrigins(length: number): AnyplugError {
  const through = `the call went through ${length} peers, over the limit of ${maxOriginNames}`;
  return new AnyplugError(Code.FailedPrecondition, `${through}; do they answer each other without end?`);
}
