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

/** What a record may take in a frame, so that every peer accepts it, in bytes. */
const maxRecordBytes = 65_536;
/** What is left of the texts of a record that takes more, in UTF-16 code units. */
const maxCutText = 8192;

/** Returns the payload of LOG. Fields and the end of the message are left out where it would take more than 64 KiB. */
export function encodeLog(record: LogRecord): Uint8Array {
  const wire = {
    level: levels.indexOf(record.level),
    message: record.message,
    logger: record.logger,
    timeMs: BigInt(Math.trunc(record.timeMs)),
    fields: new Map(Object.entries(record.fields)),
  };
  const bytes = encodeMessage(WireRecord, wire);
  if (bytes.length <= maxRecordBytes) return bytes;
  const message = `${record.message.slice(0, maxCutText)} (cut: the record took ${bytes.length} bytes)`;
  const logger = record.logger.slice(0, maxCutText);
  return encodeMessage(WireRecord, { ...wire, message, logger, fields: new Map() });
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
