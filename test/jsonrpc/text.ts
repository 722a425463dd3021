/** What a peer writes and reads, for the tests of both directions. */

import { parseJson } from "@anyplug/json";
import { framed, MessageReader } from "@anyplug/jsonrpc";

/** Returns a line of the cases as it goes over the wire. */
export function written(line: unknown, framing: "lines" | "headers" = "lines"): Uint8Array {
  return framed(typeof line === "string" ? line : JSON.stringify(line), framing);
}

/** Returns the messages in what was read, by the id that they are about. */
export function byId(bytes: Uint8Array): Record<string, unknown[]> {
  const found: Record<string, unknown[]> = {};
  const reader = new MessageReader(64 << 20, (text) => {
    parseJson(text);
    const message = JSON.parse(text);
    const [, raw] = /"id":("(?:[^"\\]|\\.)*"|-?[0-9.]+|null)/.exec(text) ?? [];
    const id = Array.isArray(message) ? "batch" : (raw ?? "none");
    found[id] ??= [];
    found[id].push(/^\d{16,}$/.test(id) ? text : message);
  });
  reader.push(bytes);
  reader.end();
  return found;
}

/** Returns what was read with the texts that a case leaves open put in place of those that came. */
export function fitted(read: unknown, expected: unknown): unknown {
  if (typeof expected === "string" && expected.endsWith("*") && typeof read === "string") {
    return read.startsWith(expected.slice(0, -1)) ? expected : read;
  }
  if (Array.isArray(read))
    return read.map((one, index) => fitted(one, Array.isArray(expected) ? expected[index] : undefined));
  if (typeof read !== "object" || read === null) return read;
  const members = (typeof expected === "object" && expected !== null ? expected : {}) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(read).map(([name, value]) => [name, fitted(value, members[name])]));
}
