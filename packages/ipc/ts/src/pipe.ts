/** A channel over two streams of the system: a socket, or a pipe for each direction. */

import { type OnReadOpts, Socket, type SocketConstructorOpts } from "node:net";
import { AnyplugError, type Channel, type ChannelReceiver, Code } from "@anyplug/core";
import { Spin } from "./spin.js";
import { eventsOfATurn } from "./turn.js";

/** Bytes that one read takes at most. Memory is used only as far as bytes arrive. */
const readBufferBytes = 1 << 20;

/** What is told of a channel that ended. */
export interface PipeOptions {
  /** Says why the channel ended, when this side did not close it. What it returns is awaited before the receiver hears of the end. */
  readonly whyEnded: (cause: Error | undefined) => AnyplugError | Promise<AnyplugError>;
  /** Sees the bytes before the receiver; returns what is left for it. */
  readonly filter?: ((bytes: Uint8Array) => Uint8Array) | undefined;
}

/** A source of bytes that begins to flow when it is given somebody to call. */
export interface PipeInput {
  readonly socket: Socket;
  /** Calls `onData` for each read; the bytes are overwritten by the next one. */
  start(onData: (bytes: Uint8Array) => void): void;
}

/** Reads descriptor `fd` into one buffer, again and again. `writable`: the descriptor is a socket, and is written too. */
export function descriptorInput(fd: number, writable: boolean): PipeInput {
  return bufferedInput({ fd, readable: true, writable });
}

/**
 * Reads a stream that another part of Node has opened. Where this version of Node lets its handle be taken over, it is read into one buffer; elsewhere by 'data'
 * events, which allocate for each read and halve what goes through.
 */
export function streamInput(stream: Socket): PipeInput {
  const { _handle: handle } = stream as unknown as { _handle?: { useUserBuffer?: unknown } | null };
  if (typeof handle?.useUserBuffer !== "function") {
    return dataInput(stream);
  }
  (stream as unknown as { _handle: unknown })._handle = null;
  stream.destroy();
  return bufferedInput({ handle } as SocketConstructorOpts);
}

/** Reads a stream by 'data' events, which any has. */
export function dataInput(stream: Socket): PipeInput {
  return { socket: stream, start: (onData) => stream.on("data", (bytes: Buffer) => onData(plain(bytes))) };
}

function bufferedInput(options: SocketConstructorOpts): PipeInput {
  return bufferedSocket((onread) => new Socket({ ...options, onread } as SocketConstructorOpts));
}

/** Reads the socket that `make` makes into one buffer, again and again. */
export function bufferedSocket(make: (onread: OnReadOpts) => Socket): PipeInput {
  let take: ((bytes: Uint8Array) => void) | undefined;
  let early: Uint8Array | undefined;
  const onread: OnReadOpts = {
    buffer: plain(Buffer.allocUnsafeSlow(readBufferBytes)),
    callback(length, buffer) {
      // A socket reads as soon as it is made. What it read before somebody asked is kept, and it pauses.
      if (take === undefined) early = buffer.slice(0, length);
      else take(buffer.subarray(0, length));
      return take !== undefined;
    },
  };
  const socket = make(onread);
  return {
    socket,
    start(onData) {
      take = onData;
      if (early !== undefined) onData(early);
      early = undefined;
      socket.resume();
    },
  };
}

/** The same memory without Node's own methods: `slice` of a Buffer does not copy, and a receiver that keeps a slice counts on it. */
function plain(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A channel over streams of the system. */
export class PipeChannel implements Channel {
  readonly #input: PipeInput;
  readonly #output: Socket;
  readonly #options: PipeOptions;
  readonly #spin = new Spin();
  #receiver: ChannelReceiver | undefined;
  #cause: Error | undefined;
  #closing = false;
  #lost: AnyplugError | undefined;
  #onOpened: () => void = () => {};
  readonly #opened = new Promise<void>((resolve) => {
    this.#onOpened = resolve;
  });
  #open = 0;
  #reads = 0;
  #onClosed: () => void = () => {};
  /** Resolves when both directions have ended, and what was written is out as far as the peer took it. */
  readonly closed: Promise<void> = new Promise((resolve) => {
    this.#onClosed = resolve;
  });

  /** `output` is the input's own socket when the channel is one. */
  constructor(input: PipeInput, output: Socket, options: PipeOptions) {
    this.#input = input;
    this.#output = output;
    this.#options = options;
  }

  /** Why the channel ended, when this side did not close it. */
  get lost(): AnyplugError | undefined {
    return this.#lost;
  }

  open(receiver: ChannelReceiver): void {
    this.#receiver = receiver;
    for (const socket of new Set([this.#input.socket, this.#output])) {
      this.#open += 1;
      socket.on("error", (error) => this.#failed(error));
      if (socket.closed) queueMicrotask(() => this.#ended());
      else socket.once("close", () => this.#ended());
    }
    this.#output.on("drain", () => receiver.drain());
    this.#input.start((bytes) => this.#data(receiver, bytes));
    this.#onOpened();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const output = this.#output;
    if (this.#closing || output.destroyed) return true;
    const [first] = chunks;
    if (chunks.length === 1 && first !== undefined) {
      output.write(first);
    } else {
      // Corked, they go out by one writev.
      output.cork();
      for (const chunk of chunks) output.write(chunk);
      output.uncork();
    }
    this.#spin.wrote();
    return output.writableLength === 0 || !output.writableNeedDrain;
  }

  /** Holds what is written from now on back until the channel is closed, so that it arrives in one piece. */
  hold(): void {
    this.#output.cork();
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#output.end(() => this.abandon());
  }

  /** Ends both directions at once, as if the peer had; what was not written is lost. */
  abandon(): void {
    this.#input.socket.destroy();
    this.#output.destroy();
  }

  /** The peer will write no more: takes what is still to be read, and ends both directions. */
  async finish(): Promise<void> {
    await this.#opened;
    // A whole turn of the event loop without a byte means that none are left, however late this turn comes.
    for (let before = -1; before !== this.#reads && !this.#input.socket.destroyed; ) {
      before = this.#reads;
      await eventsOfATurn();
    }
    this.abandon();
  }

  #data(receiver: ChannelReceiver, bytes: Uint8Array): void {
    this.#reads += 1;
    this.#spin.read();
    const rest = this.#options.filter === undefined ? bytes : this.#options.filter(bytes);
    if (rest.length > 0) receiver.data(rest);
  }

  /** A peer that is gone shows in either direction, as an error or as the end of the stream: it is the end in any case. */
  #failed(error: Error): void {
    this.#cause ??= error;
    this.abandon();
  }

  async #ended(): Promise<void> {
    this.#open -= 1;
    if (this.#open > 0) {
      this.abandon();
      return;
    }
    if (!this.#closing) this.#lost = await this.#options.whyEnded(this.#cause);
    this.#receiver?.closed(this.#lost ?? closedHere);
    this.#onClosed();
  }
}

const closedHere = new AnyplugError(Code.Unavailable, "the channel was closed");
