/** Messages on their way to whoever reads them. */

import type { AnyplugError } from "./error.js";

/** What is told of a queue's reader. */
export interface QueueOwner {
  /** The reader took a message of that size, in bytes. */
  taken(bytes: number): void;
  /** The reader left before the end. */
  abandoned(): void;
  /** The reader has come to the end, or to the error, and is about to be told. Returns an error to tell instead of the end. */
  reached?(): AnyplugError | undefined;
}

interface Waiting<T> {
  resolve(result: IteratorResult<T>): void;
  reject(error: AnyplugError): void;
}

const done = { done: true, value: undefined } as const;

/** A queue of messages that ends by success or by an error. It can be read once. */
export class MessageQueue<T> implements AsyncIterableIterator<T> {
  readonly #owner: QueueOwner;
  #messages: { value: T; bytes: number }[] = [];
  /** The position of the first message that was not taken. */
  #first = 0;
  #waiting: Waiting<T>[] = [];
  #ended = false;
  #reached = false;
  #error: AnyplugError | undefined;

  constructor(owner: QueueOwner) {
    this.#owner = owner;
  }

  /** Adds a message that takes so many bytes. After the end it is dropped. */
  push(value: T, bytes: number): void {
    if (this.#ended) return;
    const reader = this.#waiting.shift();
    if (reader === undefined) {
      this.#messages.push({ value, bytes });
      return;
    }
    this.#owner.taken(bytes);
    reader.resolve({ done: false, value });
  }

  /** No message follows. */
  finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#tell();
  }

  /** No message follows, for this reason, which the reader gets after the messages that came before. */
  fail(error: AnyplugError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#tell();
  }

  /** Drops the messages that were not taken. */
  drop(): void {
    this.#messages = [];
    this.#first = 0;
  }

  next(): Promise<IteratorResult<T>> {
    const message = this.#messages[this.#first];
    if (message !== undefined) {
      this.#first += 1;
      if (this.#first === this.#messages.length) this.drop();
      this.#owner.taken(message.bytes);
      return Promise.resolve({ done: false, value: message.value });
    }
    if (!this.#ended) return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
    const error = this.#takeError();
    return error === undefined ? Promise.resolve(done) : Promise.reject(error);
  }

  return(): Promise<IteratorResult<T>> {
    const early = !this.#ended;
    const unread = this.#messages.slice(this.#first);
    this.finish();
    this.drop();
    this.#error = undefined;
    if (early) this.#owner.abandoned();
    // After the end nobody else lets go of them.
    else for (const { bytes } of unread) this.#owner.taken(bytes);
    return Promise.resolve(done);
  }

  /** Tells the readers that wait that the end has come; the first gets the error, if there is one. */
  #tell(): void {
    if (this.#waiting.length === 0) return;
    const [first, ...others] = this.#waiting.splice(0);
    const error = this.#takeError();
    if (error === undefined) first?.resolve(done);
    else first?.reject(error);
    for (const reader of others) reader.resolve(done);
  }

  #takeError(): AnyplugError | undefined {
    let error = this.#error;
    if (!this.#reached) {
      this.#reached = true;
      const thrown = this.#owner.reached?.();
      error ??= thrown;
    }
    this.#error = undefined;
    return error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
