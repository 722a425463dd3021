/** Runs `test/vectors/messages.json`: what is a message and what is not, the same for every codec. */

import { readFileSync } from "node:fs";
import { Everything } from "@anyplug/generated/anyplug/test/v1/test.js";
import { describe, expect, test } from "@jest/globals";
import { decodeMessage, encodeMessage } from "../src/codec.js";
import { fromHex, toHex } from "./hex.js";

interface Vector {
  readonly name: string;
  readonly bytes: string;
  readonly again?: string;
  readonly error?: true;
}

const path = new URL("../../../../test/vectors/messages.json", import.meta.url);
const vectors: Vector[] = JSON.parse(readFileSync(path, "utf8"));

/** As users read and write messages, and as calls do. */
const ways = [
  {
    way: "by the codec",
    decode: (bytes: Uint8Array) => Everything.decode(bytes),
    encode: (message: Everything) => Everything.encode(message).finish(),
  },
  {
    way: "in a call",
    decode: (bytes: Uint8Array) => decodeMessage(Everything, bytes),
    encode: (message: Everything) => encodeMessage(Everything, message),
  },
];

describe.each(ways)("a message $way", ({ decode, encode }) => {
  test.each(vectors)("$name", ({ bytes, again, error }) => {
    if (error) expect(() => decode(fromHex(bytes))).toThrow();
    else expect(toHex(encode(decode(fromHex(bytes))))).toBe(again);
  });
});
