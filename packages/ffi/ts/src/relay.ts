/** Moves bytes between a library's instance and a channel: the plugin's side of a process that has nothing but a library in it. */

import { AnyplugError, type Channel, type ChannelReceiver, Connection } from "@anyplug/core";
import { Guest } from "./guest.js";
import { Library } from "./library.js";

/**
 * Loads a library, and lets its instance be the plugin's side of a channel. Resolves when the channel has ended and the instance too. Why a library cannot be loaded is told to the host.
 *
 * @param place what the library is called in errors
 */
export async function relayLibrary(path: string, channel: Channel, place: string = path): Promise<void> {
  let relay: Relay;
  try {
    relay = new Relay(await Library.load(path, place), channel);
  } catch (error) {
    return refuse(channel, AnyplugError.from(error));
  }
  await relay.ended;
}

class Relay implements ChannelReceiver {
  /** Resolves when nothing runs any more. */
  readonly ended: Promise<void>;
  readonly #guest: Guest;
  readonly #channel: Channel;
  #isOver = false;
  #onEnded: () => void = () => {};

  constructor(library: Library, channel: Channel) {
    this.#channel = channel;
    this.#guest = new Guest(library, () => queueMicrotask(() => this.#send()));
    this.ended = new Promise((resolve) => {
      this.#onEnded = resolve;
    });
    channel.open(this);
    this.#send();
  }

  data(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#guest.receive([bytes]);
    this.#send();
  }

  /** How much may be on its way is what the protocol says. */
  drain(): void {}

  closed(): void {
    this.#isOver = true;
    void this.#guest.close().then(this.#onEnded, this.#onEnded);
  }

  #send(): void {
    if (this.#isOver) return;
    const guest = this.#guest;
    for (const { message } of guest.logs.splice(0)) process.stderr.write(`${message}\n`);
    if (guest.failed !== undefined) {
      process.stderr.write(`${guest.failed.message}\n`);
      return this.#channel.close();
    }
    if (guest.outbox.length === 0) return;
    // The memory of what is written is the channel's from now on.
    this.#channel.write([guest.outbox.take().slice()]);
    guest.outbox.rewind();
  }
}

/** Says what is wrong as a plugin does that refuses to start. */
async function refuse(channel: Channel, reason: AnyplugError): Promise<void> {
  const connection = new Connection(channel, { role: "plugin", name: "library", version: "0" });
  await connection.opened.catch(() => {});
  connection.close(reason);
  await connection.closed;
}
