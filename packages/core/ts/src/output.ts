/** Bytes to write: small frames side by side in one buffer, large payloads by reference. */

import { copyBelowBytes } from "./codec.js";
import { flagHeader, frameHeaderBytes, writeFrameHeader } from "./frame.js";

/** Bytes of the buffer that small frames are written to. It is never written twice, so that a channel may keep what it was given. */
const slabBytes = 65_536;
/** Up to this size a loop copies faster than a call, in bytes. */
const loopBytes = 32;

const none: Uint8Array = new Uint8Array(0);

/** What a session has to write. */
export class Output {
  /** Bytes that were not taken yet. */
  bytes = 0;
  #slab: Uint8Array = none;
  /** Where the part of the slab begins that was not taken yet. */
  #start = 0;
  #position = 0;
  #chunks: Uint8Array[] = [];

  /** Adds bytes that are no frame. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#slab.set(bytes, this.#position);
    this.#position += bytes.length;
    this.bytes += bytes.length;
  }

  /** Adds a frame with the first `size` bytes of `payload`. A large payload is kept by reference: it must not change any more. */
  frame(
    kind: number,
    flags: number,
    method: number,
    call: number,
    payload: Uint8Array = none,
    size: number = payload.length,
    header?: Uint8Array,
  ): void {
    const prefix = header === undefined ? 0 : 4 + header.length;
    const isCopied = size < copyBelowBytes;
    this.#reserve(frameHeaderBytes + prefix + (isCopied ? size : 0));
    const allFlags = header === undefined ? flags : flags | flagHeader;
    writeFrameHeader(this.#slab, this.#position, prefix + size, kind, allFlags, method, call);
    this.#position += frameHeaderBytes;
    if (header !== undefined) this.#header(header);
    if (isCopied) {
      this.#copy(payload, size);
    } else {
      this.#seal();
      this.#chunks.push(size === payload.length ? payload : payload.subarray(0, size));
    }
    this.bytes += frameHeaderBytes + prefix + size;
  }

  /** Returns what is to be written, in order; the memory is the caller's. */
  take(): Uint8Array[] {
    if (this.bytes === 0) return [];
    this.#seal();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.bytes = 0;
    return chunks;
  }

  #header(header: Uint8Array): void {
    const slab = this.#slab;
    const position = this.#position;
    slab[position] = header.length;
    slab[position + 1] = header.length >>> 8;
    slab[position + 2] = header.length >>> 16;
    slab[position + 3] = header.length >>> 24;
    this.#position = position + 4;
    this.#copy(header, header.length);
  }

  #copy(bytes: Uint8Array, size: number): void {
    const slab = this.#slab;
    const position = this.#position;
    if (size <= loopBytes) for (let index = 0; index < size; index++) slab[position + index] = bytes[index] as number;
    else slab.set(size === bytes.length ? bytes : bytes.subarray(0, size), position);
    this.#position = position + size;
  }

  /** Makes room for that many bytes in one piece. */
  #reserve(bytes: number): void {
    if (this.#slab.length - this.#position >= bytes) return;
    this.#seal();
    this.#slab = new Uint8Array(Math.max(slabBytes, bytes));
    this.#start = 0;
    this.#position = 0;
  }

  /** Makes a chunk of what was written to the slab since the last one. */
  #seal(): void {
    if (this.#position === this.#start) return;
    this.#chunks.push(this.#slab.subarray(this.#start, this.#position));
    this.#start = this.#position;
  }
}
