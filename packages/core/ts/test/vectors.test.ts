/** The shared vectors: one behaviour, written once, run by every core. */

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { type CodeName, codeName } from "../src/code.js";
import { AnyplugError } from "../src/error.js";
import { FrameDecoder } from "../src/frame.js";
import { type CallHeader, decodeHeader, encodeHeader, type Metadata } from "../src/header.js";
import { Output } from "../src/output.js";
import { decodeStatus, encodeStatus } from "../src/status.js";
import { concat, fromHex, toHex } from "./hex.js";
import { runScript, type Script } from "./script.js";

const folder = new URL("../../../../test/vectors/", import.meta.url);

function read<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(name, folder), "utf8")) as T;
}

interface FrameVector {
  name: string;
  max_frame_bytes: number;
  bytes: string;
  frames: { offset: number; kind: number; flags: number; method: number; call: number; payload: string }[];
  rest?: number;
  canonical?: boolean;
  error?: { code: CodeName; offset: number };
}

describe.each(read<FrameVector[]>("frames.json"))("frames: $name", (vector) => {
  test.each(["whole", "byte by byte"])("fed %s", (how) => {
    const bytes = fromHex(vector.bytes);
    const decoder = new FrameDecoder(vector.max_frame_bytes);
    const frames: FrameVector["frames"] = [];
    let error: FrameVector["error"];
    try {
      for (const chunk of how === "whole" ? [bytes] : Array.from(bytes, (byte) => Uint8Array.of(byte))) {
        decoder.push(chunk);
        while (decoder.next()) {
          const { offset, kind, flags, method, call } = decoder;
          frames.push({
            offset,
            kind,
            flags,
            method,
            call,
            payload: toHex(decoder.bytes.slice(decoder.start, decoder.end)),
          });
        }
      }
    } catch (reason) {
      error = { code: codeName(AnyplugError.from(reason).code), offset: decoder.offset };
    }
    expect(frames).toEqual(vector.frames);
    expect(error).toEqual(vector.error);
    if (vector.rest !== undefined) expect(decoder.pendingBytes).toBe(vector.rest);
  });

  if (vector.error === undefined && vector.canonical !== false) {
    test("encodes to the same bytes", () => {
      const output = new Output();
      for (const { kind, flags, method, call, payload } of vector.frames) {
        output.frame(kind, flags, method, call, fromHex(payload));
      }
      const encoded = vector.bytes.slice(0, vector.bytes.length - 2 * (vector.rest ?? 0));
      expect(toHex(concat(output.take()))).toBe(encoded);
    });
  }
});

interface StatusVector {
  name: string;
  bytes: string;
  canonical?: boolean;
  error?: boolean;
  code?: CodeName;
  message?: string;
  details?: { type_url: string; value: string }[];
  metadata?: Metadata;
}

test.each(read<StatusVector[]>("statuses.json"))(
  "statuses: $name",
  ({ name: _, bytes, canonical, error, ...expected }) => {
    if (error === true) {
      expect(() => decodeStatus(fromHex(bytes))).toThrow();
      return;
    }
    const status = decodeStatus(fromHex(bytes));
    const details = status.details.map(({ typeUrl, value }) => ({ type_url: typeUrl, value: toHex(value) }));
    expect({ ...status, code: codeName(status.code), details }).toEqual(expected);
    if (canonical === true) expect(toHex(encodeStatus(status))).toBe(bytes);
  },
);

interface HeaderVector {
  name: string;
  bytes: string;
  canonical?: boolean;
  error?: boolean;
  header?: Omit<CallHeader, "timeoutMs"> & { timeout_ms: number | null };
}

test.each(read<HeaderVector[]>("headers.json"))("headers: $name", ({ bytes, canonical, error, header: expected }) => {
  if (error === true) {
    expect(() => decodeHeader(fromHex(bytes))).toThrow();
    return;
  }
  const { timeoutMs, ...header } = decodeHeader(fromHex(bytes));
  expect({ ...header, timeout_ms: timeoutMs ?? null }).toEqual(expected);
  if (canonical === true) expect(toHex(encodeHeader({ ...header, timeoutMs }))).toBe(bytes);
});

describe.each(readdirSync(new URL("sessions/", folder)))("sessions/%s", (file) => {
  describe.each(read<Script[]>(`sessions/${file}`))("$name", (script) => {
    test("received whole", () => runScript(script, false));
    test("received byte by byte", () => runScript(script, true));
  });
});
