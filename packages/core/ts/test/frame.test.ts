/** The frame decoder, with whatever bytes in whatever chunks. */

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Code } from "../src/code.js";
import { AnyplugError } from "../src/error.js";
import { FrameDecoder, frameHeaderBytes } from "../src/frame.js";
import { Output } from "../src/output.js";
import { concat, toHex } from "./hex.js";

// What is generated is the same in each run, unless it is given another seed.
fc.configureGlobal({ seed: Number(process.env["ANYPLUG_SEED"] ?? 1) });

interface Frame {
  kind: number;
  flags: number;
  method: number;
  call: number;
  payload: Uint8Array;
}

const frames = fc.array(
  fc.record<Frame>({
    kind: fc.nat(255),
    flags: fc.nat(3),
    method: fc.nat(0xffff),
    call: fc.nat(0xffff_ffff),
    payload: fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 1000, maxLength: 3000 })),
  }),
  { maxLength: 12 },
);

function encode(list: readonly Frame[]): Uint8Array {
  const output = new Output();
  for (const { kind, flags, method, call, payload } of list) output.frame(kind, flags, method, call, payload);
  return concat(output.take());
}

/** Cuts bytes at the given places, in any order. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return sorted.slice(1).map((end, index) => bytes.slice(sorted[index], end));
}

/** Reads all frames; each chunk is overwritten when it has been read. */
function decode(decoder: FrameDecoder, chunks: readonly Uint8Array[]): string[] {
  const found: string[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    while (decoder.next()) {
      const { offset, kind, flags, method, call, bytes, start, end } = decoder;
      found.push([offset, kind, flags, method, call, toHex(bytes.slice(start, end))].join(" "));
    }
    chunk.fill(0xee);
  }
  return found;
}

test("memory that a frame owns stays as it is when others come", () => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat(), { maxLength: 20 }), (list, places) => {
      const decoder = new FrameDecoder(4096);
      const kept: { bytes: Uint8Array; before: string }[] = [];
      for (const chunk of cut(encode(list), places)) {
        decoder.push(chunk);
        while (decoder.next()) {
          const { bytes, start, end, owned } = decoder;
          if (owned) kept.push({ bytes: bytes.subarray(start, end), before: toHex(bytes.slice(start, end)) });
        }
        chunk.fill(0xee);
      }
      for (const { bytes, before } of kept) expect(toHex(bytes)).toBe(before);
    }),
  );
});

test("any chunking gives the same frames", () => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat(), { maxLength: 20 }), (list, places) => {
      const bytes = encode(list);
      const whole = decode(new FrameDecoder(4096), [bytes.slice()]);
      expect(whole.length).toBe(list.length);
      expect(decode(new FrameDecoder(4096), cut(bytes, places))).toEqual(whole);
    }),
  );
});

test("any bytes give frames, an incomplete frame or the refusal of a length, and nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(), { maxLength: 5 }), (bytes, places) => {
      const decoder = new FrameDecoder(64);
      try {
        decode(decoder, cut(bytes, places));
        expect(decoder.pendingBytes).toBe(bytes.length - decoder.nextOffset);
      } catch (error) {
        expect(error).toBeInstanceOf(AnyplugError);
        expect(AnyplugError.from(error)).toMatchObject({ code: Code.ResourceExhausted });
        const view = new DataView(bytes.buffer, bytes.byteOffset);
        expect(view.getUint32(decoder.offset, true)).toBeGreaterThan(64);
      }
    }),
  );
});

describe("memory", () => {
  test("a length alone claims little, however large it is", () => {
    const decoder = new FrameDecoder(0xffff_ffff);
    const header = new Uint8Array(frameHeaderBytes).fill(0xff);
    decoder.push(header);
    expect(decoder.next()).toBe(false);
    expect(decoder.pendingBytes).toBe(frameHeaderBytes);
  });

  test("a payload of many chunks is put together once", () => {
    const payload = Uint8Array.from({ length: 3_000_000 }, (_, index) => index % 251);
    const output = new Output();
    output.frame(3, 1, 0, 7, payload);
    const bytes = concat(output.take());
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += 65_536) chunks.push(bytes.slice(at, at + 65_536));
    const decoder = new FrameDecoder(4_000_000);
    for (const [index, chunk] of chunks.entries()) {
      decoder.push(chunk);
      expect(decoder.next()).toBe(index === chunks.length - 1);
    }
    expect(Buffer.compare(decoder.bytes.subarray(decoder.start, decoder.end), payload)).toBe(0);
  });

  test("a large payload is written by reference, small frames in one chunk", () => {
    const output = new Output();
    const large = new Uint8Array(100_000);
    output.frame(3, 0, 0, 1, Uint8Array.of(1));
    output.frame(3, 0, 0, 1, Uint8Array.of(2));
    output.frame(3, 0, 0, 1, large);
    output.frame(3, 0, 0, 1, Uint8Array.of(3));
    expect(output.bytes).toBe(4 * frameHeaderBytes + 3 + large.length);
    const chunks = output.take();
    expect(chunks.map(({ length }) => length)).toEqual([3 * frameHeaderBytes + 2, 100_000, frameHeaderBytes + 1]);
    expect(chunks[1]).toBe(large);
    expect(output.take()).toEqual([]);
  });

  test("what was taken is never written again", () => {
    const output = new Output();
    output.frame(3, 0, 0, 1, Uint8Array.of(1));
    const [first = new Uint8Array()] = output.take();
    const before = toHex(first);
    for (let round = 0; round < 5000; round++) {
      output.frame(3, 0, 0, 2, new Uint8Array(30).fill(round));
      output.take();
    }
    expect(toHex(first)).toBe(before);
  });
});
