import { type Framing, MessageReader } from "@anyplug/jsonrpc";
import { expect, test } from "@jest/globals";

function read(bytes: Uint8Array, chunk: number, maxBytes: number): { found: [string, Framing][]; refused: number } {
  const found: [string, Framing][] = [];
  let refused = 0;
  const reader = new MessageReader(maxBytes, (text, framing) => found.push([text, framing]));
  for (let at = 0; at < bytes.length; at += chunk) {
    try {
      reader.push(bytes.subarray(at, at + chunk));
    } catch {
      refused += 1;
    }
  }
  reader.end();
  return { found, refused };
}

test("lines and bodies are read however they are chunked", () => {
  const text = 'a 🎈\r\n\n {"b": 1}\nContent-Length: 7\r\nContent-Type: x\r\n\r\né\n🎈c\nlast';
  const bytes = new TextEncoder().encode(text);
  for (let chunk = 1; chunk <= bytes.length; chunk++) {
    expect(read(bytes, chunk, 100)).toEqual({
      found: [
        ["a 🎈", "lines"],
        ['{"b": 1}', "lines"],
        ["é\n🎈", "headers"],
        ["c", "lines"],
        ["last", "lines"],
      ],
      refused: 0,
    });
  }
});

test("a message over the limit is left out and told once", () => {
  const bytes = new TextEncoder().encode("0123456789\nok\nContent-Length: 20\n\n01234567890123456789ok\n");
  for (const chunk of [1, 5, 64]) {
    const { found, refused } = read(bytes, chunk, 18);
    expect(refused).toBe(1);
    expect(found.map(([text]) => text)).toEqual(["0123456789", "ok", "ok"]);
  }
});
