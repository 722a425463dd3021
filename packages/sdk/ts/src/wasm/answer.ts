/** Answers of calls that were made the short way. */

import { host } from "./host.js";

/** What `anyplug_call` returns. */
const outcome = { done: 0, failed: 1, pending: 2 };

const headerBytes = 12;
const kind = { message: 3, end: 4 };
const flagEnd = 1;

/** Takes what was written while call `id` was handled. When that is the frame of its answer alone, the answer is the result; all else is sent. */
export function answer(id: number, chunks: readonly Uint8Array[]): number {
  const [first, second] = chunks;
  if (first !== undefined && chunks.length <= 2 && isAnswer(first, id)) {
    const length = word(first, 0);
    // A large payload has a chunk of its own.
    const payload = second ?? first.subarray(headerBytes);
    if (payload.length === length && (second === undefined || first.length === headerBytes)) {
      host.answer(payload);
      return first[4] === kind.message ? outcome.done : outcome.failed;
    }
  }
  for (const chunk of chunks) host.send(chunk);
  return outcome.pending;
}

/** Whether a frame ends that call, with a message or with a status, and without a call header. */
function isAnswer(frame: Uint8Array, id: number): boolean {
  if (word(frame, 8) !== id) return false;
  return frame[4] === kind.end || (frame[4] === kind.message && frame[5] === flagEnd);
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}
