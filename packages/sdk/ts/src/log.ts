/** The log of a plugin: its records go to the host. */

import type { LogFields, LogLevel, LogRecord } from "@anyplug/core";

/** Writes records of one level each. */
export type Log = { readonly [Level in LogLevel]: (message: string, fields?: LogFields) => void };

/** Takes the records. */
export type LogSink = (record: LogRecord) => void;

/** A plugin that no host has connected to yet, or that runs in its host's own process, writes to stderr. */
let sink: LogSink = printRecord;

/** Writes a record to stderr, which a host captures. */
export function printRecord({ level, message, fields }: LogRecord): void {
  const shown = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  process.stderr.write(`${level} ${message}${shown.join("")}\n`);
}

/** Sends what is logged from now on to `to`. */
export function setLogSink(to: LogSink): void {
  sink = to;
}

function level(level: LogLevel): (message: string, fields?: LogFields) => void {
  return (message, fields = {}) => sink({ level, message, logger: "", timeMs: Date.now(), fields });
}

/** Sends a record to the host's log. Within a call, `context.log` does the same and says which service it was. */
export const log: Log = {
  trace: level("trace"),
  debug: level("debug"),
  info: level("info"),
  warn: level("warn"),
  error: level("error"),
};
