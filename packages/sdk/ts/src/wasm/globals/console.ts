/** The console: lines of the log. */

import type { LogLevel } from "@anyplug/core";

/** Takes the lines. */
let sink: (level: LogLevel, line: string) => void = () => {};

/** Sends what is written from now on to `to`. */
export function setConsoleSink(to: (level: LogLevel, line: string) => void): void {
  sink = to;
}

const level =
  (level: LogLevel) =>
  (...values: unknown[]): void =>
    sink(level, values.map((value) => shown(value)).join(" "));

const nothing = (): void => {};

const error = level("error");

export const console = {
  trace: level("trace"),
  debug: level("debug"),
  log: level("info"),
  info: level("info"),
  warn: level("warn"),
  error,
  assert: (isTrue: unknown, ...values: unknown[]): void => {
    if (!isTrue) error("Assertion failed:", ...values);
  },
  dir: level("info"),
  group: level("info"),
  groupEnd: nothing,
  time: nothing,
  timeEnd: nothing,
};

/** How deep values within values are shown. */
const maxDepth = 4;
const maxItems = 100;

/** A value for a person. */
export function shown(value: unknown, depth = 0, within: readonly object[] = []): string {
  if (typeof value === "string") return depth === 0 ? value : JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return `[function ${value.name}]`;
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Error) return errorText(value);
  if (within.includes(value)) return "[circular]";
  if (depth >= maxDepth) return Array.isArray(value) ? "[array]" : "[object]";
  return contents(value, (one) => shown(one, depth + 1, [...within, value]));
}

/** Message and stack; QuickJS leaves the message out of the stack. */
function errorText(error: Error): string {
  const lines = `${error}\n${error.stack ?? ""}`.trimEnd();
  return error.cause === undefined ? lines : `${lines}\ncause: ${shown(error.cause)}`;
}

function contents(value: object, show: (value: unknown) => string): string {
  if (value instanceof Date || value instanceof RegExp) return String(value);
  if (value instanceof Map) return `Map { ${list([...value], ([key, one]) => `${show(key)} => ${show(one)}`)} }`;
  if (value instanceof Set) return `Set { ${list([...value], show)} }`;
  if (Array.isArray(value)) return `[${list(value, show)}]`;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const numbers = [...(value as unknown as Iterable<unknown>)];
    return `${value.constructor.name}(${numbers.length}) [${list(numbers, String)}]`;
  }
  const name = value.constructor?.name ?? "";
  const text = `{ ${list(Object.entries(value), ([key, one]) => `${key}: ${show(one)}`)} }`;
  return name === "Object" || name === "" ? text : `${name} ${text}`;
}

function list<Item>(items: readonly Item[], show: (item: Item) => string): string {
  const more = items.length > maxItems ? [`and ${items.length - maxItems} more`] : [];
  return [...items.slice(0, maxItems).map(show), ...more].join(", ");
}
