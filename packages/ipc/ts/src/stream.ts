/** A channel over two streams of Node, of which the input may end before the output. */

import type { Readable, Writable } from "node:stream";
import { AnyplugError, type Channel, type ChannelReceiver, Code } from "@anyplug/core";

/** What is told of a channel's streams. */
export interface StreamOptions {
  /** Says why the channel ended, when this side did not close it. */
  readonly whyEnded: (cause: Error | undefined) => AnyplugError | Promise<AnyplugError>;
  /** The peer writes nothing more, and may still read. Default: that is the end. */
  readonly onInputEnded?: (() => void) | undefined;
}

/** Milliseconds for the peer to read what was written before the channel is closed, and for what a peer that reads nothing more has written. */
const lingerMs = 2000;

/** A channel over two streams. */
export class StreamChannel implements Channel {
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #options: StreamOptions;
  #closing = false;
  #hasEnded = false;
  #cause: Error | undefined;

  /** `output` is `input` where both are one socket. */
  constructor(input: Readable, output: Writable, options: StreamOptions) {
    this.#input = input;
    this.#output = output;
    this.#options = options;
  }

  open(receiver: ChannelReceiver): void {
    const input = this.#input;
    this.#output.on("drain", () => receiver.drain());
    this.#output.on("error", (error) => this.#failed(error));
    input.on("error", (error) => this.#failed(error));
    input.once("end", () => this.#options.onInputEnded?.());
    input.on("data", (bytes: Uint8Array) => receiver.data(bytes));
    // A socket may be paused until somebody takes it.
    input.resume();
    const output = this.#output;
    for (const stream of new Set([input, output])) {
      const closed = () => {
        // An input that came to its end leaves the output open.
        const isHalf = this.#options.onInputEnded !== undefined && input.readableEnded && !output.closed;
        if (input.closed && !isHalf) void this.#ended(receiver);
      };
      if (stream.closed) queueMicrotask(closed);
      else stream.once("close", closed);
    }
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#closing || this.#output.destroyed) return true;
    for (const chunk of chunks) this.#output.write(chunk);
    return !this.#output.writableNeedDrain;
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    const abandon = () => this.#abandon();
    setTimeout(abandon, lingerMs).unref();
    this.#output.end(abandon);
  }

  /** Who cannot be written to any more may have written something before: that is read. */
  #failed(error: Error): void {
    this.#cause ??= error;
    setTimeout(() => this.#abandon(), lingerMs).unref();
  }

  #abandon(): void {
    this.#input.destroy();
    this.#output.destroy();
  }

  async #ended(receiver: ChannelReceiver): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    receiver.closed(this.#closing ? closedHere : await this.#options.whyEnded(this.#cause));
    this.#abandon();
  }
}

const closedHere = new AnyplugError(Code.Unavailable, "the channel was closed");
