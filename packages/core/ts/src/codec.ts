/** Runs the codecs of messages. */

import type { Code } from "./code.js";
import { MessageReader } from "./codec/reader.js";
import { MessageWriter } from "./codec/writer.js";
import type { MessageCodec, MethodDescriptor } from "./descriptor.js";
import { AnyplugError } from "./error.js";

/** A message in bytes: the first `length` of `bytes`. */
export interface Encoded {
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** From this size on a payload is passed on by reference instead of being copied, in bytes. */
export const copyBelowBytes = 32_768;

const writer = new MessageWriter();
/** For messages on their way into a frame, while headers and statuses go through the other one. */
const payloadWriter = new MessageWriter();

/**
 * Returns the message in bytes.
 *
 * @throws Error of the codec when a member has a value that its field cannot hold.
 */
export function encodeMessage<T>(codec: MessageCodec<T>, message: T): Uint8Array {
  writer.reset();
  codec.encode(message, writer);
  return writer.finish();
}

/**
 * Returns the message in bytes that are to be used at once: those of a small message are overwritten by the next.
 *
 * @throws Error of the codec when a member has a value that its field cannot hold.
 */
export function encodePayload<T>(codec: MessageCodec<T>, message: T): Encoded {
  payloadWriter.reset();
  codec.encode(message, payloadWriter);
  const { target, length } = payloadWriter;
  return { bytes: length < copyBelowBytes ? target : payloadWriter.take(), length };
}

/**
 * Returns the message in bytes that are overwritten by the next, however large it is.
 *
 * @throws Error of the codec when a member has a value that its field cannot hold.
 */
export function encodeTransient<T>(codec: MessageCodec<T>, message: T): Encoded {
  payloadWriter.reset();
  codec.encode(message, payloadWriter);
  return { bytes: payloadWriter.target, length: payloadWriter.length };
}

const reader = new MessageReader();

/**
 * Reads a message. What it returns shares no memory with `bytes`, unless they are `owned`: nobody else uses them, and a field that is most of them may lie in them.
 *
 * @throws Error of the codec when the bytes are not such a message.
 */
export function decodeMessage<T>(
  codec: MessageCodec<T>,
  bytes: Uint8Array,
  from = 0,
  to: number = bytes.length,
  owned = false,
): T {
  reader.reset(bytes, from, to, owned);
  try {
    const message = codec.decode(reader, to - from);
    if (reader.pos === to) return message;
    // A codec of another copy of the runtime does not know this reader and takes it for no bytes at all.
    if (reader.pos === from && !usesReader(codec)) return codec.decode(new Uint8Array(bytes.subarray(from, to)));
  } finally {
    reader.release();
  }
  // The codecs stop without a word at the end of a group and at a tag of 0.
  throw new Error("illegal tag");
}

/** What a call of `method` ends with when a codec refused one of its messages. */
export function codecError(
  code: Code,
  message: "request" | "response",
  { path }: MethodDescriptor,
  refused: "encoded" | "parsed",
  cause: unknown,
): AnyplugError {
  const why = AnyplugError.from(cause).message;
  return new AnyplugError(code, `the ${message} of ${path} cannot be ${refused}: ${why}`, { cause });
}

/** A varint under the largest field number, which hardly a schema has. */
const probe = Uint8Array.of(0xf8, 0xff, 0xff, 0xff, 0x0f, 0x00);

/** Whether a codec reads from the reader it is given. */
function usesReader(codec: MessageCodec<unknown>): boolean {
  reader.reset(probe, 0, probe.length);
  codec.decode(reader, probe.length);
  return reader.pos > 0;
}
