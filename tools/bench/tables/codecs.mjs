/** Codecs on the message of 1.2 kB. */

import { groupsOf, names, rowsOf } from "./rows.mjs";

const contenders = {
  typescript: [
    ["anyplug", "anyplug, as in calls", "ours"],
    ["anyplug-alone", "anyplug, Order.encode and decode alone", "ours"],
    ["json", "JSON (text, not bytes)", "peer"],
    ["json-bytes", "JSON with UTF-8", "peer"],
    ["protobuf-es", "protobuf-es", "peer"],
    ["protobufjs", "protobufjs", "peer"],
    ["copy", "copy of the bytes", "limit"],
  ],
  python: [
    ["anyplug", "anyplug", "ours"],
    ["anyplug-made", "anyplug, message made first", "ours", ["encode"]],
    ["anyplug-read", "anyplug, all fields read", "ours", ["decode"]],
    ["orjson", "orjson", "peer"],
    ["msgspec-json", "msgspec, JSON to a Struct", "peer"],
    ["msgspec-msgpack", "msgspec, MessagePack to a Struct", "peer"],
    ["upb", "protobuf (upb)", "peer", ["encode"]],
    ["upb-made", "protobuf (upb), message made first", "peer", ["encode"]],
    ["upb-read", "protobuf (upb), all fields read", "peer", ["decode"]],
    ["json", "json", "peer"],
    ["betterproto2", "betterproto2's own codec", "peer"],
    ["copy", "copy of the bytes", "limit"],
  ],
  rust: [
    ["anyplug", "anyplug", "ours"],
    ["prost", "prost", "peer"],
    ["serde_json", "serde_json", "peer"],
    ["copy", "copy of the bytes", "limit"],
  ],
};

const peers = { typescript: "json", python: "orjson", rust: "serde_json" };

// DESIGN's aim is in microseconds where orjson takes 1.1 and 3.6: on another machine, that many times orjson.
const aims = {
  typescript: {
    encode: [{ row: "anyplug", against: "json", factor: 1, text: "ahead of JSON.stringify" }],
    decode: [{ row: "anyplug", against: "json", factor: 1, text: "ahead of JSON.parse" }],
  },
  python: {
    encode: [{ row: "anyplug", against: "orjson", factor: 2 / 1.1, text: "2 us where orjson takes 1.1" }],
    decode: [{ row: "anyplug", against: "orjson", factor: 5 / 3.6, text: "5 us where orjson takes 3.6" }],
  },
  rust: {},
};

/** Returns a group for each language: a process for each codec, in turns. What is compiled for several of them in one process is slower for each. */
export function codecGroups() {
  return groupsOf("codecs", (name) => `Codecs in ${name}`, ["encode", "decode"], table);
}

function table(language, operation) {
  const all = rowsOf(contenders[language], language, operation);
  const rows = all.map((row) => ({ ...row, contender: `codecs:${row.id}` }));
  return {
    id: `codecs.${language}.${operation}`,
    title: `${names[language]}: ${operation} a message of 1.2 kB`,
    unit: "us",
    better: "lower",
    rows,
    limit: "copy",
    peer: peers[language],
    aims: aims[language][operation],
  };
}
