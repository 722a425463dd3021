/** What a byte transport gives: one reliable, ordered stream of bytes in each direction. */

import type { AnyplugError } from "./error.js";

/** Takes what a channel has to tell. Implemented by `Connection`. */
export interface ChannelReceiver {
  /** Bytes arrived. They are read before this returns: the memory may be used again afterwards. */
  data(bytes: Uint8Array): void;
  /** After a `write` that returned false: the channel takes more. */
  drain(): void;
  /** The channel ended, by either side. Called once, and last; `reason` is UNAVAILABLE and says what happened. */
  closed(reason: AnyplugError): void;
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
}
