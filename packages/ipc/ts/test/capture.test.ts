import { describe, expect, test } from "@jest/globals";
import { keptLines, LineCapture, maxLineLength } from "../src/capture.js";

const bytes = (text: string) => new TextEncoder().encode(text);

function capture(): { lines: string[]; capture: LineCapture } {
  const lines: string[] = [];
  return { lines, capture: new LineCapture((line) => lines.push(line)) };
}

describe("lines that a plugin prints", () => {
  test("come whole, whatever the chunks are", () => {
    const { lines, capture: it } = capture();
    for (const byte of bytes("Grüße 🎈\r\n\nsecond")) it.push(Uint8Array.of(byte));
    it.end();
    expect(lines).toEqual(["Grüße 🎈", "", "second"]);
  });

  test("keep their place when a chunk has several", () => {
    const { lines, capture: it } = capture();
    it.push(bytes("a\nb\nc"));
    it.push(bytes("d\n"));
    it.end();
    expect(lines).toEqual(["a", "b", "cd"]);
  });

  test("are cut when they have no end, and no character is split", () => {
    const { lines, capture: it } = capture();
    const text = `${"x".repeat(maxLineLength - 1)}🎈${"y".repeat(maxLineLength * 3)}`;
    it.push(bytes(text));
    it.end();
    expect(lines.join("")).toBe(text);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(maxLineLength);
    expect(lines.join("").includes("\ufffd")).toBe(false);
  });

  test("that are not UTF-8 are shown with replacement characters", () => {
    const { lines, capture: it } = capture();
    it.push(Uint8Array.of(0x61, 0xff, 0x0a));
    expect(lines).toEqual(["a\ufffd"]);
  });

  test("are kept for the error: the last twenty", () => {
    const { capture: it } = capture();
    for (let i = 0; i < 100; i++) it.push(bytes(`line ${i}\n`));
    expect(it.last).toHaveLength(keptLines);
    expect(it.last.at(-1)).toBe("line 99");
  });
});
