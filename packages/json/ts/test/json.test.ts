/** What holds for any JSON and any bytes. */

import { AnyplugError, Code } from "@anyplug/core";
import { Everything } from "@anyplug/generated/anyplug/test/v1/test.js";
import { Host, Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { Greeter } from "@anyplug/generated/greeter/v1/greeter_anyplug.js";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { base64Text, fromBase64 } from "../src/text/base64.js";
import { type Json, JsonNumber, JsonObject } from "../src/text/json.js";
import { floatText } from "../src/text/number.js";
import { parseJson } from "../src/text/parse.js";
import { JsonTypes } from "../src/types.js";

// What is generated is the same in each run, unless it is given another seed.
fc.configureGlobal({ seed: Number(process.env["ANYPLUG_SEED"] ?? 1) });

const name = "anyplug.test.v1.Everything";
const types = new JsonTypes([Test]);
const members = Object.keys(Everything.fromPartial({})).concat("choiceText", "struct", "value", "any", "timestamp");

/** Returns what `work` does, or undefined when it is refused as a caller sees it. */
function unlessRefused<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    expect(error).toBeInstanceOf(AnyplugError);
    expect(error).toMatchObject({ code: Code.InvalidArgument });
    return undefined;
  }
}

/** What is written is read as the same bytes again, apart from what JSON does not have. */
function staysTheSame(bytes: Uint8Array): void {
  const written = unlessRefused(() => types.bytesToJson(name, bytes));
  if (written === undefined) return;
  const read = types.jsonToBytes(name, written);
  expect(types.bytesToJson(name, read)).toBe(written);
  expect(unlessRefused(() => Everything.decode(read))).toBeDefined();
}

/** A value as JSON.parse gives it. */
function plain(json: Json): unknown {
  if (json instanceof JsonNumber) return Number(json.text);
  if (json instanceof JsonObject) return Object.fromEntries(json.members.map(([key, value]) => [key, plain(value)]));
  return Array.isArray(json) ? json.map(plain) : json;
}

describe("whatever comes in", () => {
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, true, "COLOR_RED", "1s", "AQ==", "1970-01-01T00:00:00Z"),
      fc.integer(),
      fc.double(),
      fc.string(),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.oneof(fc.constantFrom(...members), fc.string()), tie("value"), { maxKeys: 3 }),
    ),
  })).value;

  test("JSON is read or refused, and what was read is written as the same", () => {
    fc.assert(
      fc.property(value, fc.boolean(), (json, ignoreUnknownMembers) => {
        const bytes = unlessRefused(() => types.jsonToBytes(name, JSON.stringify(json), { ignoreUnknownMembers }));
        if (bytes !== undefined) staysTheSame(bytes);
      }),
      { numRuns: 1000 },
    );
  });

  test("text is read as JSON.parse reads it, or refused where that refuses it", () => {
    const cut = fc.tuple(value, fc.nat(30), fc.string({ maxLength: 2 })).map(([json, at, more]) => {
      const text = JSON.stringify(json);
      return text.slice(0, at) + more + text.slice(at);
    });
    fc.assert(
      fc.property(
        fc.oneof(
          value.map((json) => JSON.stringify(json)),
          cut,
          fc.string(),
        ),
        (text) => {
          let expected: unknown;
          try {
            expected = JSON.parse(text);
          } catch {
            expect(() => parseJson(text)).toThrow(AnyplugError);
            return;
          }
          const read = unlessRefused(() => parseJson(text));
          // Half characters are what it refuses beyond.
          if (read !== undefined) expect(plain(read)).toEqual(expected);
          else expect(JSON.stringify(expected)).toMatch(/\\ud[89a-f]/);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("bytes are written or refused, and what was written is read as the same", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), staysTheSame), { numRuns: 1000 });
  });

  test("base64 is read as the bytes that it was made of", () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => expect(fromBase64(base64Text(bytes))).toEqual(bytes)));
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => expect(base64Text(bytes)).toBe(Buffer.from(bytes).toString("base64"))),
    );
  });

  test("a float is read as itself", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) =>
        expect(Math.fround(Number(floatText(value)))).toBe(value),
      ),
    );
  });
});

describe("a set of types", () => {
  test("has the types of all its sources, and those that they reach", () => {
    const both = new JsonTypes([Test, Host, Greeter]);
    expect(["greeter.v1.GreetRequest", name, "google.protobuf.FieldMask", "x.Y"].map((type) => both.has(type))).toEqual(
      [true, true, true, false],
    );
  });

  test("reads and writes generated messages", () => {
    const message = types.fromJson(Everything, '{"int64_value":"-7","labels":{"a":"b"},"choiceText":""}');
    expect(message).toEqual(
      Everything.fromPartial({
        int64Value: -7n,
        labels: new Map([["a", "b"]]),
        choice: { $case: "choiceText", choiceText: "" },
      }),
    );
    expect(types.toJson(Everything, message)).toBe('{"int64Value":"-7","labels":{"a":"b"},"choiceText":""}');
  });

  test("refuses a message that holds what its types cannot", () => {
    const broken = Everything.fromPartial({ int32Value: 1.5 });
    expect(() => types.toJson(Everything, broken)).toThrow(expect.objectContaining({ code: Code.InvalidArgument }));
  });

  test("reads nothing so deep that the codec would refuse it", () => {
    const child = (levels: number) => `${'{"child":'.repeat(levels)}{}${"}".repeat(levels)}`;
    const byId = (levels: number) => `${'{"byId":{"1":'.repeat(levels)}{}${"}}".repeat(levels)}`;
    for (const json of [child(100), byId(50)]) {
      expect(types.toJson(Everything, types.fromJson(Everything, json))).toBe(json);
    }
    for (const json of [child(101), byId(51)]) expect(() => types.fromJson(Everything, json)).toThrow(AnyplugError);
  });

  test("names a type that it does not have", () => {
    expect(() => new JsonTypes([Greeter]).toJson(Everything, Everything.fromPartial({}))).toThrow(
      expect.objectContaining({ code: Code.NotFound, message: expect.stringContaining(name) }),
    );
  });

  test("tells by its first use that a descriptor set is none", () => {
    const broken = new JsonTypes([Uint8Array.of(0xff)]);
    expect(() => broken.has(name)).toThrow(expect.objectContaining({ code: Code.InvalidArgument }));
  });
});
