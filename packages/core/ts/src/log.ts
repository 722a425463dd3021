/** Log records: the payload of LOG. */

import { LogRecord as WireRecord } from "@anyplug/protocol/anyplug/wire/v1/connection.js";
import { decodeMessage, encodeMessage } from "./codec.js";

const levels = ["unspecified", "trace", "debug", "info", "warn", "error"] as const;

/** How much a record matters. */
export type LogLevel = Exclude<(typeof levels)[number], "unspecified">;

/** More about a record, by name. */
export type LogFields = Readonly<Record<string, string>>;

/** One record of a structured log. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly message: string;
  /** The name of the logger, or "stdout" or "stderr" for a captured line. */
  readonly logger: string;
  /** Milliseconds since 1970-01-01T00:00:00Z; 0 when the sender has no clock. */
  readonly timeMs: number;
  readonly fields: LogFields;
}

/** What is left of the message of a record that is too long to be sent, in UTF-16 code units. */
const shortenedLength = 16_384;

/** The payload of LOG. A record over `maxBytes` is shortened to the beginning of its message. */
export function encodeLog(record: LogRecord, maxBytes: number): Uint8Array {
  const wire = {
    level: levels.indexOf(record.level),
    message: record.message,
    logger: record.logger,
    timeMs: BigInt(Math.trunc(record.timeMs)),
    fields: new Map(Object.entries(record.fields)),
  };
  const bytes = encodeMessage(WireRecord, wire);
  if (bytes.length <= maxBytes) return bytes;
  const kept = record.message.slice(0, Math.min(shortenedLength, Math.floor(maxBytes / 6)));
  const message = `${kept} … (${record.message.length} characters in all)`;
  return encodeMessage(WireRecord, { ...wire, message, logger: "", fields: new Map() });
}

/**
 * Reads a record. A level that this version does not know, or none, is "info".
 *
 * @throws Error when the bytes are none.
 */
export function decodeLog(bytes: Uint8Array): LogRecord {
  const wire = decodeMessage(WireRecord, bytes);
  const level = levels[wire.level] ?? "info";
  return {
    level: level === "unspecified" ? "info" : level,
    message: wire.message,
    logger: wire.logger,
    timeMs: Number(wire.timeMs),
    fields: Object.fromEntries(wire.fields),
  };
}
