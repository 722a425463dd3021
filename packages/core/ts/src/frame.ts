/** Frames: 12 bytes of header, then the payload. */

import { Code } from "./code.js";
import { unwritten } from "./codec/memory.js";
import { AnyplugError } from "./error.js";

/** What a frame is. */
export const FrameKind = {
  Hello: 1,
  Request: 2,
  Message: 3,
  End: 4,
  Cancel: 5,
  Credit: 6,
  Ping: 7,
  Pong: 8,
  Log: 9,
  GoAway: 10,
} as const;

const kindNames = ["", "HELLO", "REQUEST", "MESSAGE", "END", "CANCEL", "CREDIT", "PING", "PONG", "LOG", "GOAWAY"];

/** The name of a kind, as docs/protocol.md writes it. */
export function kindName(kind: number): string {
  return kindNames[kind] ?? `kind ${kind}`;
}

/** The sender's last frame of the call. */
export const flagEnd = 1;
/** The payload starts with a call header. */
export const flagHeader = 2;

/** Bytes of a frame's header. */
export const frameHeaderBytes = 12;

/** Writes a frame's header to `target` at `position`. */
export function writeFrameHeader(
  target: Uint8Array,
  position: number,
  length: number,
  kind: number,
  flags: number,
  method: number,
  call: number,
): void {
  target[position] = length;
  target[position + 1] = length >>> 8;
  target[position + 2] = length >>> 16;
  target[position + 3] = length >>> 24;
  target[position + 4] = kind;
  target[position + 5] = flags;
  target[position + 6] = method;
  target[position + 7] = method >>> 8;
  target[position + 8] = call;
  target[position + 9] = call >>> 8;
  target[position + 10] = call >>> 16;
  target[position + 11] = call >>> 24;
}

/** Memory that a frame gets before its payload has come, in bytes; past that it grows as bytes arrive, so that a lying length claims nothing. */
const trustedBytes = 2_097_152;

const none = new Uint8Array(0);

/** Cuts a stream of bytes into frames. What `next` found is in the members, until the next call. */
export class FrameDecoder {
  kind = 0;
  flags = 0;
  method = 0;
  call = 0;
  /** The offset of the frame's first byte in the stream. */
  offset: number;
  /** The memory in which the payload lies, from `start` to `end`: that of the chunk, where it holds all of the payload. */
  bytes: Uint8Array = none;
  start = 0;
  end = 0;
  /** That memory was made for this frame, and is not used again. */
  owned = false;
  /** The longest payload that is accepted, in bytes. */
  maxPayloadBytes: number;

  #chunk: Uint8Array = none;
  #position = 0;
  /** The offset of the next frame. */
  #nextOffset: number;
  readonly #header = new Uint8Array(frameHeaderBytes);
  /** Bytes of the header that came with earlier chunks. */
  #headerBytes = 0;
  #length = 0;
  /** Collects a payload that comes in pieces; undefined between frames. */
  #partial: Uint8Array | undefined;
  #partialBytes = 0;

  constructor(maxPayloadBytes: number, offset = 0) {
    this.maxPayloadBytes = maxPayloadBytes;
    this.offset = offset;
    this.#nextOffset = offset;
  }

  /** The offset of the first byte of the frame that is being read, or that comes next. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** Bytes of a frame that is not complete yet. */
  get pendingBytes(): number {
    return this.#headerBytes + this.#partialBytes;
  }

  /** Takes the next bytes of the stream. `next` is to be called until it returns false, before `chunk` is used for anything else. */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#position = 0;
  }

  /**
   * Goes to the next frame. Returns false when the bytes do not hold all of it.
   *
   * @throws AnyplugError RESOURCE_EXHAUSTED when its length is over the limit, before the payload has come; `offset` is that of the frame.
   */
  next(): boolean {
    if (this.#partial !== undefined) return this.#continue(this.#partial);
    const chunk = this.#chunk;
    let position = this.#position;
    const available = chunk.length - position;
    if (available === 0) return false;
    if (this.#headerBytes > 0 || available < frameHeaderBytes) return this.#collectHeader();
    this.#readHeader(chunk, position);
    position += frameHeaderBytes;
    if (available - frameHeaderBytes < this.#length) {
      this.#position = position;
      this.#headerBytes = frameHeaderBytes;
      return this.#begin();
    }
    this.bytes = chunk;
    this.owned = false;
    this.start = position;
    this.end = position + this.#length;
    this.#position = this.end;
    this.#nextOffset += frameHeaderBytes + this.#length;
    return true;
  }

  #readHeader(bytes: Uint8Array, at: number): void {
    const length = word(bytes, at);
    this.offset = this.#nextOffset;
    if (length > this.maxPayloadBytes) {
      const announced = `the frame at offset ${this.offset} announces ${length} bytes`;
      throw new AnyplugError(Code.ResourceExhausted, `${announced}; at most ${this.maxPayloadBytes} are accepted`);
    }
    this.#length = length;
    this.kind = bytes[at + 4] ?? 0;
    this.flags = (bytes[at + 5] ?? 0) & (flagEnd | flagHeader);
    this.method = (bytes[at + 6] ?? 0) | ((bytes[at + 7] ?? 0) << 8);
    this.call = word(bytes, at + 8);
  }

  /** The chunk ends, or an earlier one ended, within a header. */
  #collectHeader(): boolean {
    const taken = Math.min(frameHeaderBytes - this.#headerBytes, this.#chunk.length - this.#position);
    this.#header.set(this.#chunk.subarray(this.#position, this.#position + taken), this.#headerBytes);
    this.#headerBytes += taken;
    this.#position += taken;
    if (this.#headerBytes < frameHeaderBytes) return false;
    this.#readHeader(this.#header, 0);
    return this.#begin();
  }

  /** The header is there, the payload not all. */
  #begin(): boolean {
    const partial = unwritten(Math.min(this.#length, trustedBytes));
    this.#partial = partial;
    this.#partialBytes = 0;
    return this.#continue(partial);
  }

  #continue(partial: Uint8Array): boolean {
    const length = this.#length;
    const taken = Math.min(length - this.#partialBytes, this.#chunk.length - this.#position);
    const needed = this.#partialBytes + taken;
    let target = partial;
    if (needed > target.length) {
      target = unwritten(Math.min(length, Math.max(needed, target.length * 2)));
      target.set(partial.subarray(0, this.#partialBytes));
      this.#partial = target;
    }
    target.set(this.#chunk.subarray(this.#position, this.#position + taken), this.#partialBytes);
    this.#partialBytes = needed;
    this.#position += taken;
    if (needed < length) return false;
    this.bytes = target;
    this.owned = true;
    this.start = 0;
    this.end = length;
    this.#partial = undefined;
    this.#partialBytes = 0;
    this.#headerBytes = 0;
    this.#nextOffset += frameHeaderBytes + length;
    return true;
  }
}

/** A little-endian u32. */
export function word(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
  return (low | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
}
