/** Streams of messages: iterators of either kind, and one that begins when it is first read. */

/** Iterates what is iterable in either way. */
export function iterate<T>(values: AsyncIterable<T> | Iterable<T>): AsyncIterator<T> | Iterator<T> {
  return Symbol.asyncIterator in values ? values[Symbol.asyncIterator]() : values[Symbol.iterator]();
}

/** Tells an iterator that nobody reads it any more. Whether it ever hears of it, and what it throws then, is its own affair. */
export function leave(iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined): void {
  try {
    Promise.resolve(iterator?.return?.()).catch(() => {});
  } catch {
    // An iterator that throws when it is left.
  }
}

const done = { done: true, value: undefined } as const;

/** The responses of a call that begins with the first `next()`. It can be read once. */
export class LazyStream<T> implements AsyncIterableIterator<T> {
  #begin: (() => AsyncIterator<T> | Promise<AsyncIterator<T>>) | undefined;
  #messages: AsyncIterator<T> | undefined;
  #beginning: Promise<AsyncIterator<T>> | undefined;

  constructor(begin: () => AsyncIterator<T> | Promise<AsyncIterator<T>>) {
    this.#begin = begin;
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#messages !== undefined) return this.#messages.next();
    if (this.#beginning !== undefined) return this.#beginning.then((messages) => messages.next());
    const begin = this.#begin;
    if (begin === undefined) return Promise.resolve(done);
    this.#begin = undefined;
    try {
      const messages = begin();
      if (messages instanceof Promise) return this.#wait(messages);
      this.#messages = messages;
      return messages.next();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async return(): Promise<IteratorResult<T>> {
    this.#begin = undefined;
    // When it could not begin, whoever called `next` has been told.
    const messages = this.#messages ?? (await this.#beginning?.catch(() => undefined));
    return messages?.return?.() ?? done;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #wait(beginning: Promise<AsyncIterator<T>>): Promise<IteratorResult<T>> {
    this.#beginning = beginning;
    try {
      this.#messages = await beginning;
    } finally {
      this.#beginning = undefined;
    }
    return this.#messages.next();
  }
}
