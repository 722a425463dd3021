/** Runs the codecs of messages: one writer for all, one reader for each chunk of bytes. */

import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import type { MessageCodec } from "./descriptor.js";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const decodeStrict = (bytes: Uint8Array) => decoder.decode(bytes);

/**
 * Reads messages in place from a chunk that may be overwritten afterwards: `bytes` fields and unknown fields are copied out of it. Text that is not UTF-8 is refused.
 */
export class MessageReader extends BinaryReader {
  /** The chunk. */
  readonly source: Uint8Array;
  /** Where ts-proto counts the depth of nested messages; here from the start, so that the object keeps its shape. */
  readonly __tsProtoDecodeDepth: number = 0;

  constructor(source: Uint8Array) {
    super(source, decodeStrict);
    this.source = source;
  }

  override bytes(): Uint8Array {
    return super.bytes().slice();
  }

  override skip(...element: Parameters<BinaryReader["skip"]>): Uint8Array {
    return super.skip(...element).slice();
  }

  /**
   * Reads the message that lies from `start` to `end`.
   *
   * @throws Error of the codec when the bytes are not such a message.
   */
  read<T>(codec: MessageCodec<T>, start: number, end: number): T {
    this.pos = start;
    const message = codec.decode(this, end - start);
    if (this.pos === end) return message;
    // A codec of another copy of the runtime does not know this reader and takes it for no bytes at all.
    if (this.pos === start && !usesReader(codec)) return codec.decode(this.source.slice(start, end));
    // The codecs stop without a word at an end of a group or a tag of 0, and do not see a field that ends past its message.
    throw new Error(this.pos < end ? "illegal tag" : "premature EOF");
  }
}

/** Whether a codec reads from the reader it is given. */
function usesReader(codec: MessageCodec<unknown>): boolean {
  const probe = new MessageReader(unknownField);
  codec.decode(probe, unknownField.length);
  return probe.pos > 0;
}

/** A varint under the largest field number, which no schema can use twice for another type without being told. */
const unknownField = Uint8Array.of(0xf8, 0xff, 0xff, 0xff, 0x0f, 0x00);

const writer = new BinaryWriter();

/**
 * Returns the message in bytes.
 *
 * @throws Error of the codec when a member has a value that its field cannot hold.
 */
export function encodeMessage<T>(codec: MessageCodec<T>, message: T): Uint8Array {
  try {
    return codec.encode(message, writer).finish();
  } catch (error) {
    writer.finish();
    throw error;
  }
}

/**
 * Reads a message. What it returns shares no memory with `bytes`.
 *
 * @throws Error of the codec when the bytes are not such a message.
 */
export function decodeMessage<T>(codec: MessageCodec<T>, bytes: Uint8Array): T {
  return new MessageReader(bytes).read(codec, 0, bytes.length);
}
