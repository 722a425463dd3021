/** Our writer and reader against the runtime's own. */

import { isNativeError } from "node:util/types";
import { Everything } from "@anyplug/generated/anyplug/test/v1/test.js";
import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { MessageReader } from "../src/codec/reader.js";
import { MessageWriter } from "../src/codec/writer.js";
import { decodeMessage, encodeMessage, encodePayload } from "../src/codec.js";
import { decodeHeader, encodeHeader } from "../src/header.js";
import { decodeStatus, encodeStatus } from "../src/status.js";
import { toHex } from "./hex.js";

// What is generated is the same in each run, unless it is given another seed.
fc.configureGlobal({ seed: Number(process.env["ANYPLUG_SEED"] ?? 1) });

const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
/** Also text that no encoding of UTF-8 has. */
const text = fc.oneof(fc.string(), fc.string({ unit: "grapheme", maxLength: 300 }), fc.string({ unit: "binary" }));

/** Each sort of value, with the method of writer and reader that takes it. */
const values = fc.oneof(
  fc.tuple(fc.constant("int32" as const), int32),
  fc.tuple(fc.constant("sint32" as const), int32),
  fc.tuple(fc.constant("sfixed32" as const), int32),
  fc.tuple(fc.constant("uint32" as const), uint32),
  fc.tuple(fc.constant("fixed32" as const), uint32),
  fc.tuple(fc.constant("int64" as const), int64),
  fc.tuple(fc.constant("sint64" as const), int64),
  fc.tuple(fc.constant("sfixed64" as const), int64),
  fc.tuple(fc.constant("uint64" as const), uint64),
  fc.tuple(fc.constant("fixed64" as const), uint64),
  fc.tuple(fc.constant("bool" as const), fc.boolean()),
  fc.tuple(fc.constant("float" as const), fc.float()),
  fc.tuple(fc.constant("double" as const), fc.double()),
  fc.tuple(fc.constant("string" as const), text),
  fc.tuple(fc.constant("bytes" as const), fc.uint8Array({ maxLength: 200 })),
);

/** Calls the method of that name. */
function call(target: object, name: string, ...parameters: unknown[]): unknown {
  return Reflect.apply(Reflect.get(target, name) as (...all: unknown[]) => unknown, target, parameters);
}

test("a writer writes what the runtime's writes, message after message", () => {
  const ours = new MessageWriter();
  fc.assert(
    fc.property(fc.array(values, { maxLength: 30 }), fc.array(fc.nat(30), { maxLength: 4 }), (list, forks) => {
      const theirs = new BinaryWriter();
      for (const writer of [ours, theirs]) {
        let depth = 0;
        for (const [index, [name, value]] of list.entries()) {
          if (forks.includes(index)) {
            writer.fork();
            depth += 1;
          }
          call(writer, name, value);
        }
        for (; depth > 0; depth--) writer.join();
      }
      expect(toHex(ours.finish())).toBe(toHex(theirs.finish()));
    }),
  );
});

test("a reader reads what the runtime's reads, within memory that holds more", () => {
  const ours = new MessageReader();
  fc.assert(
    fc.property(fc.array(values, { maxLength: 30 }), fc.nat(20), (list, before) => {
      const writer = new BinaryWriter();
      for (const [name, value] of list) call(writer, name, value);
      const bytes = writer.finish();
      const memory = new Uint8Array(before + bytes.length + 10).fill(0xff);
      memory.set(bytes, before);
      ours.reset(memory, before, before + bytes.length);
      const theirs = new BinaryReader(bytes);
      for (const [name] of list) expect(call(ours, name)).toEqual(call(theirs, name));
      expect(ours.pos).toBe(before + bytes.length);
      expect(() => ours.uint32()).toThrow("premature EOF");
    }),
  );
});

describe("text", () => {
  test("of any length, ASCII or not", () => {
    for (const unit of ["a", "ä", "漢", "😀", "a漢"]) {
      for (const length of [1, 5, 15, 16, 17, 40, 42, 43, 127, 128, 1000, 1025, 6000, 20_000]) {
        const message = Everything.fromPartial({ stringValue: unit.repeat(length), names: ["before", "after"] });
        const bytes = encodeMessage(Everything, message);
        expect(toHex(bytes)).toBe(toHex(Everything.encode(message).finish()));
        expect(decodeMessage(Everything, bytes)).toEqual(message);
      }
    }
  });

  test("for which memory grows in the middle keeps its beginning", () => {
    for (const length of [1025, 1500, 6000, 20_000, 100_000]) {
      const ours = new MessageWriter().string("ä".repeat(length)).finish();
      expect(toHex(ours)).toBe(toHex(new BinaryWriter().string("ä".repeat(length)).finish()));
    }
  });

  test("that is not UTF-8 is refused", () => {
    expect(() => decodeMessage(Everything, Uint8Array.of(0x72, 2, 0xc3, 0x28))).toThrow();
    expect(() =>
      decodeMessage(Everything, Uint8Array.of(0x72, 12, ..."0123456789".split("").map(Number), 0xc3, 0x28)),
    ).toThrow();
  });
});

const anything = fc.uint8Array({ maxLength: 60 });

/** What a decoder makes of the bytes, as text; an error is none. */
function textOf(message: unknown): string {
  return JSON.stringify(message, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}

test("any bytes are a message or an error, and a message shares no memory with them", () => {
  const decoders: readonly ((bytes: Uint8Array) => unknown)[] = [
    decodeStatus,
    decodeHeader,
    (bytes) => decodeMessage(Everything, bytes),
  ];
  fc.assert(
    fc.property(anything, (bytes) => {
      for (const decode of decoders) {
        const memory = bytes.slice();
        let message: unknown;
        try {
          message = decode(memory);
        } catch (error) {
          // Those of Node's own decoder are of another realm than the tests.
          expect(isNativeError(error)).toBe(true);
          continue;
        }
        const before = textOf(message);
        memory.fill(0x55);
        expect(textOf(message)).toBe(before);
      }
    }),
    { numRuns: 500 },
  );
});

test("of memory that is its own a message keeps what is most of it, and copies the rest", () => {
  const whole = { bytesValue: new Uint8Array(1000).fill(7), byFlag: new Map([[true, new Uint8Array(100)]]) };
  const bytes = encodeMessage(Everything, Everything.fromPartial(whole));
  const { bytesValue, byFlag } = decodeMessage(Everything, bytes, 0, bytes.length, true);
  expect(bytesValue).toEqual(whole.bytesValue);
  expect(bytesValue.buffer).toBe(bytes.buffer);
  expect(byFlag.get(true)?.buffer.byteLength).toBe(100);
});

test("what was read from a Buffer of Node shares no memory with it", () => {
  const whole = Everything.fromPartial({ bytesValue: Uint8Array.of(1, 2, 3) });
  // An unknown field of length 1: the decoder keeps it.
  const buffer = Buffer.concat([encodeMessage(Everything, whole), Uint8Array.of(0xba, 0x3e, 0x01, 0x07)]);
  const message = decodeMessage(Everything, buffer);
  const before = encodeMessage(Everything, message);
  buffer.fill(0xff);
  expect(encodeMessage(Everything, message)).toEqual(before);
});

test("headers and statuses survive the way", () => {
  const pairs = fc.array(fc.tuple(fc.stringMatching(/^[a-z0-9_.-]+$/), fc.string({ unit: "grapheme" })), {
    maxLength: 4,
  });
  const header = fc.record({
    timeoutMs: fc.option(uint32, { nil: undefined }),
    metadata: pairs,
    traceparent: fc.string(),
    tracestate: fc.string(),
    origin: fc.array(fc.string({ unit: "grapheme" }), { maxLength: 4 }),
  });
  fc.assert(fc.property(header, (one) => expect(decodeHeader(encodeHeader(one))).toEqual(one)));
  fc.assert(
    fc.property(uint32, (timeoutMs) => {
      const one = { timeoutMs, metadata: [], traceparent: "", tracestate: "", origin: [] };
      expect(decodeHeader(encodeHeader(one))).toEqual(one);
    }),
  );
  const status = fc.record({
    code: fc.integer({ min: 0, max: 16 }),
    message: fc.string({ unit: "grapheme" }),
    details: fc.array(fc.record({ typeUrl: fc.string(), value: fc.uint8Array() }), { maxLength: 3 }),
    metadata: pairs,
  });
  fc.assert(fc.property(status, (one) => expect(decodeStatus(encodeStatus(one as never))).toEqual(one)));
});

test("a status that no frame can hold keeps its code and the beginning of its message", () => {
  const details = [{ typeUrl: "x", value: new Uint8Array(100_000) }];
  for (const status of [
    { code: 5, message: "lost", details, metadata: [] },
    { code: 5, message: `lost${"ä".repeat(100_000)}`, details: [], metadata: [] },
  ] as const) {
    const bytes = encodeStatus(status);
    expect(bytes.length).toBeLessThan(65_536);
    expect(decodeStatus(bytes)).toMatchObject({
      code: 5,
      message: expect.stringMatching(/^lost.*\(cut: the status took/),
      details: [],
    });
  }
});

describe("payloads", () => {
  test("small ones share memory from one to the next, large ones are given away", () => {
    const small = encodePayload(Everything, Everything.fromPartial({ stringValue: "one" }));
    expect(encodePayload(Everything, Everything.fromPartial({ stringValue: "two" })).bytes).toBe(small.bytes);
    const bytesValue = new Uint8Array(40_000).fill(7);
    const large = encodePayload(Everything, Everything.fromPartial({ bytesValue }));
    const before = toHex(large.bytes);
    encodePayload(Everything, Everything.fromPartial({ bytesValue: new Uint8Array(40_000) }));
    expect(toHex(large.bytes)).toBe(before);
  });

  test("after one that cannot be encoded the next one can", () => {
    expect(() => encodeMessage(Everything, Everything.fromPartial({ int32Value: 1.5 }))).toThrow("invalid int32");
    expect(() => encodePayload(Everything, Everything.fromPartial({ child: { uint32Value: -1 } }))).toThrow(
      "invalid uint32",
    );
    expect(toHex(encodeMessage(Everything, Everything.fromPartial({ boolValue: true })))).toBe("6801");
  });
});

test("a codec of another copy of the runtime is served too", () => {
  const codec = {
    encode: () => new BinaryWriter(),
    decode: (input: BinaryReader | Uint8Array) => ({ bytes: input instanceof Uint8Array ? [...input] : undefined }),
    fromPartial: () => ({ bytes: undefined }),
  };
  expect(decodeMessage(codec, Uint8Array.of(9, 8, 1, 7), 1, 3)).toEqual({ bytes: [8, 1] });
});
