/** Plugin side, on a socket: hears what a host says first, before it is known who answers. */

import { AnyplugError, type Channel, type ChannelReceiver, Code, type Hello } from "@anyplug/core";
import { decodeHello, magic } from "@anyplug/core/transports";

const frameHeaderBytes = 12;
const helloKind = 1;

/** The longest hello that is taken from a host, in bytes: 128 KiB of configuration and ample room for its services. */
const maxHelloBytes = 1 << 20;

/** What a host said first. */
export interface Preface {
  /** None when no hello came: then either `failure` says why, or a connection over the channel does. */
  readonly hello?: Hello | undefined;
  /** DEADLINE_EXCEEDED when none came in time, RESOURCE_EXHAUSTED for one that is too long. */
  readonly failure?: AnyplugError | undefined;
  /** The channel from its beginning on. */
  readonly channel: Channel;
}

/** Reads a host's magic and HELLO, for `timeoutMs` milliseconds at most. Never rejects. */
export async function hearPreface(inner: Channel, timeoutMs: number): Promise<Preface> {
  const channel = new HeardChannel(inner);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<AnyplugError>((resolve) => {
    const error = new AnyplugError(Code.DeadlineExceeded, `no hello came within ${timeoutMs} ms`);
    timer = setTimeout(() => resolve(error), timeoutMs);
  });
  const heard = await Promise.race([channel.hello, late]);
  clearTimeout(timer);
  return heard instanceof AnyplugError ? { failure: heard, channel } : { hello: heard, channel };
}

/** Keeps what comes until somebody opens it. */
class HeardChannel implements Channel, ChannelReceiver {
  /** None when what came is no hello, or the channel ended. */
  readonly hello: Promise<Hello | AnyplugError | undefined>;
  readonly #inner: Channel;
  #buffer: Uint8Array = new Uint8Array(4096);
  #length = 0;
  #isHeard = false;
  #reason: AnyplugError | undefined;
  #receiver: ChannelReceiver | undefined;
  #found: (hello: Hello | AnyplugError | undefined) => void = () => {};

  constructor(inner: Channel) {
    this.#inner = inner;
    this.hello = new Promise((resolve) => {
      this.#found = resolve;
    });
    inner.open(this);
  }

  open(receiver: ChannelReceiver): void {
    this.#receiver = receiver;
    const heard = this.#buffer.subarray(0, this.#length);
    this.#buffer = heard.subarray(0, 0);
    if (heard.length > 0) receiver.data(heard);
    if (this.#reason !== undefined) receiver.closed(this.#reason);
  }

  write(chunks: readonly Uint8Array[]): boolean {
    return this.#inner.write(chunks);
  }

  close(): void {
    this.#inner.close();
  }

  data(bytes: Uint8Array): void {
    if (this.#receiver !== undefined) return this.#receiver.data(bytes);
    const length = this.#length + bytes.length;
    // Nothing may follow the hello before the host has read ours.
    if (length > maxHelloBytes) return this.#tooLong();
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(length, this.#buffer.length * 2));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
    if (!this.#isHeard) this.#look(this.#buffer.subarray(0, length));
  }

  drain(): void {
    this.#receiver?.drain();
  }

  closed(reason: AnyplugError): void {
    this.#reason = reason;
    if (this.#receiver !== undefined) this.#receiver.closed(reason);
    else this.#found(undefined);
  }

  #look(heard: Uint8Array): void {
    for (let at = 0; at < Math.min(heard.length, magic.length); at++) {
      if (heard[at] !== magic[at]) return this.#hear(undefined);
    }
    const begin = magic.length + frameHeaderBytes;
    if (heard.length < begin) return;
    const header = new DataView(heard.buffer, heard.byteOffset + magic.length, frameHeaderBytes);
    const length = header.getUint32(0, true);
    if (header.getUint8(4) !== helloKind) return this.#hear(undefined);
    if (length > maxHelloBytes) return this.#tooLong();
    if (heard.length < begin + length) return;
    let hello: Hello | undefined;
    try {
      hello = decodeHello(heard.slice(begin, begin + length));
    } catch {
      // The connection says what is wrong with it.
    }
    this.#hear(hello);
  }

  #hear(hello: Hello | AnyplugError | undefined): void {
    this.#isHeard = true;
    this.#found(hello);
  }

  #tooLong(): void {
    if (this.#isHeard) return this.#inner.close();
    this.#hear(new AnyplugError(Code.ResourceExhausted, `the hello takes more than ${maxHelloBytes} bytes`));
  }
}
