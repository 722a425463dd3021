/** Text in UTF-8, by the fastest means that the platform has. */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What Node's buffers can do to any Uint8Array: without a view of a part, and at half the price of the standard's means. */
interface BufferMethods {
  utf8Slice(this: Uint8Array, from: number, to: number): string;
  utf8Write(this: Uint8Array, text: string, at: number): number;
}

const methods = (globalThis as { Buffer?: { prototype: Partial<BufferMethods> } }).Buffer?.prototype ?? {};
const { utf8Slice, utf8Write } = methods;

/**
 * Returns the text that lies in `source` from `from` to `to`.
 *
 * @throws TypeError when it is not UTF-8.
 */
export function readText(source: Uint8Array, from: number, to: number): string {
  if (utf8Slice !== undefined) {
    const text = utf8Slice.call(source, from, to);
    // What is not UTF-8 comes out as U+FFFD, which may be in the text as well: the strict decoder tells.
    if (!text.includes("\ufffd")) return text;
  }
  return decoder.decode(source.subarray(from, to));
}

/** Writes text to `target` at `at`, where there is room for three bytes a code unit. Returns the bytes it took. */
export function writeText(target: Uint8Array, at: number, text: string): number {
  return utf8Write?.call(target, text, at) ?? encoder.encodeInto(text, target.subarray(at)).written;
}

/** Writes as much of a text as there is room for. */
export function writeSome(target: Uint8Array, at: number, text: string): { read: number; written: number } {
  return encoder.encodeInto(text, target.subarray(at));
}
