/** What a byte transport gives: one reliable, ordered stream of bytes in each direction. */

import type { AnyplugError } from "./error.js";

/** Takes what a channel has to tell. Implemented by `Connection`. */
export interface ChannelReceiver {
  /** Bytes arrived. They are read before this returns: the memory may be used again afterwards. */
  data(bytes: Uint8Array): void;
  /** After a `write` that returned false: the channel takes more. */
  drain(): void;
  /**
   * The channel ended, by either side. Called once, and last; `reason` is UNAVAILABLE and says what happened. Of a peer in this process that failed, it says with its own code how, and
   * `call` is the id of the call that it was at: that one ends with the reason itself. 0: none that is known.
   */
  closed(reason: AnyplugError, call?: number): void;
  /** When the time of the last of this side's open calls is over, by the clock of `performance.now`; Infinity when one has no deadline, and without any. */
  latestDeadline?(): number;
}

/** What a peer in this process answered to a call at once. The object is the channel's own, and is used again by its next call. */
export interface Answer {
  /** "done": the range holds the response. "failed": it holds a Status. "pending": the answer comes by frames. */
  state: "done" | "failed" | "pending";
  /** The memory of the answer. It is to be read before the channel is used again. */
  bytes: Uint8Array;
  from: number;
  to: number;
  /** That memory was made for this answer, and is not used again. */
  owned: boolean;
  /** Other bytes came meanwhile: `deliver` hands them over, and is to be called before anything comes of the answer. */
  more: boolean;
}

/** A stream of bytes in each direction. A transport implements it; `Connection` drives it. */
export interface Channel {
  /** Begins delivery to `receiver`. Called once, before anything is written. It may call the receiver before it returns. */
  open(receiver: ChannelReceiver): void;
  /**
   * Writes the chunks in order. Their memory is the channel's from now on. Returns false when the channel has enough for now: the writer then waits for `drain`, but what it
   * writes before is taken as well.
   */
  write(chunks: readonly Uint8Array[]): boolean;
  /** Ends both directions, once what was written is out. Later calls do nothing. The receiver's `closed` is called when it is done. */
  close(): void;
  /**
   * Of a channel whose peer is in this process: makes a call with one request and one response at once, in place of a REQUEST frame with END. The message is the first `size` bytes of
   * `payload`; the peer may run until `deadline`, by the clock of `performance.now`. Returns undefined when the call has to go by frames.
   *
   * @throws AnyplugError when the peer failed: its receiver's `closed` was called then; RESOURCE_EXHAUSTED when it has no room for the message, and goes on.
   */
  callNow?(
    call: number,
    method: number,
    header: Uint8Array | undefined,
    payload: Uint8Array,
    size: number,
    deadline: number,
  ): Answer | undefined;
  /** After `callNow`: hands over the bytes that came meanwhile. */
  deliver?(): void;
}
