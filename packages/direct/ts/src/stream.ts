/** Streamed calls: the caller's reading drives the handler. */

import { AnyplugError, type CallOptions, Code } from "@anyplug/core";
import { admit, begin, CallContext, iterate, leave, responsesOf } from "@anyplug/core/transports";
import { DirectCall, failureOf, requestFor, responseFor, type Target, tellHeader, tellTrailer } from "./call.js";
import type { Shared } from "./shared.js";
import { isThenable } from "./unary.js";

type AnyIterator<T> = AsyncIterator<T> | Iterator<T>;

const done = { done: true, value: undefined } as const;

/**
 * Begins a call and returns its responses. The call has begun when this returns.
 *
 * @throws AnyplugError when it cannot.
 */
export function callStream<O>(
  shared: Shared,
  target: Target<unknown, O>,
  requests: AsyncIterable<object> | Iterable<object>,
  options: CallOptions | undefined,
): AsyncIterator<O> {
  const begun = begin(target.method, options);
  const context = new CallContext(target.route.method, begun.header, begun.deadline, target.surroundings);
  const call = new StreamCall<O>(shared, target, context, begun, options);
  call.start(requests);
  return call;
}

class StreamCall<O> extends DirectCall implements AsyncIterator<O> {
  declare protected readonly target: Target<unknown, O>;
  #requests: AnyIterator<object> | undefined;
  #responses: AnyIterator<unknown> | undefined;
  /** The one response of a client stream. */
  #response: PromiseLike<unknown> | undefined;
  /** Tells whoever waits for a message, of either side, that the call was given up. */
  readonly #waiting = new Set<(reason: AnyplugError) => void>();
  #toldHeader = false;

  start(requests: AsyncIterable<object> | Iterable<object>): void {
    const { method, route } = this.target;
    const isServerStream = method.kind === "server_stream";
    const [only = {}] = isServerStream ? (requests as Iterable<object>) : [];
    const request = isServerStream ? requestFor(this.target, only) : this.#requestsOf(requests);
    this.track();
    try {
      admit(route, this.context);
      const answer = route.call.call(route.handler, request, this.context);
      if (method.kind === "client_stream") this.#response = Promise.resolve(answer);
      else
        this.#responses = isThenable(answer)
          ? later(answer, (value) => responsesOf(method, value))
          : responsesOf(method, answer);
    } catch (error) {
      this.#end();
      throw failureOf(this.target, error, this.context, this.options);
    }
  }

  async next(): Promise<IteratorResult<O>> {
    if (this.ended) return this.#afterEnd();
    const response = this.#response;
    try {
      if (this.target.method.kind === "client_stream") {
        // After the one response there is nothing to wait for.
        if (response === undefined) return this.#finished();
        return this.#deliver(await this.#unlessGivenUp(response));
      }
      const { done: isLast, value } = await this.#unlessGivenUp(Promise.resolve(this.#responses?.next() ?? done));
      if (isLast !== true) return this.#deliver(value);
      this.#responses = undefined;
      return this.#finished();
    } catch (error) {
      if (this.ended) return this.#afterEnd();
      this.#end();
      throw failureOf(this.target, error, this.context, this.options);
    }
  }

  async return(): Promise<IteratorResult<O>> {
    this.cancel(new AnyplugError(Code.Cancelled, "the caller left the stream before its end"));
    this.reason = undefined;
    return done;
  }

  protected gaveUp(reason: AnyplugError): void {
    for (const reject of this.#waiting) reject(reason);
    this.#waiting.clear();
    this.#leave();
  }

  #deliver(response: unknown): IteratorResult<O> {
    if (this.target.method.kind === "client_stream") this.#response = undefined;
    const value = responseFor(this.target, response);
    if (!this.#toldHeader) tellHeader(this.context, this.options);
    this.#toldHeader = true;
    return { done: false, value };
  }

  #finished(): IteratorResult<O> {
    this.#end();
    tellTrailer(this.context, this.options);
    return done;
  }

  /** A call that was given up says so once. */
  #afterEnd(): IteratorResult<O> {
    const { reason } = this;
    this.reason = undefined;
    if (reason !== undefined) throw reason;
    return done;
  }

  #end(): void {
    this.finish();
    this.#waiting.clear();
    this.#leave();
  }

  #leave(): void {
    leave(this.#requests);
    leave(this.#responses);
    this.#requests = undefined;
    this.#responses = undefined;
  }

  /** Waits for what either side does, but no longer than the call lasts. */
  #unlessGivenUp<T>(promise: PromiseLike<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      promise.then(
        (value) => {
          this.#waiting.delete(reject);
          resolve(value);
        },
        (error: unknown) => {
          this.#waiting.delete(reject);
          reject(error);
        },
      );
    });
  }

  /** The requests as the handler reads them. */
  #requestsOf(requests: AsyncIterable<object> | Iterable<object>): AsyncIterableIterator<unknown> {
    const next = async (): Promise<IteratorResult<unknown>> => {
      const cancellation = this.context.cancellation;
      if (cancellation !== undefined) throw cancellation;
      if (this.ended) return done;
      try {
        this.#requests ??= iterate(requests);
        const result = await this.#unlessGivenUp(Promise.resolve(this.#requests.next()));
        if (result.done === true) return done;
        return { done: false, value: requestFor(this.target, result.value) };
      } catch (error) {
        const reason = AnyplugError.from(error);
        this.cancel(reason, new AnyplugError(Code.Cancelled, `the caller failed: ${reason.message}`));
        throw this.context.cancellation ?? reason;
      }
    };
    const iterator: AsyncIterableIterator<unknown> = {
      next,
      return: async () => {
        leave(this.#requests);
        return done;
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }
}

/** An iterator of what a promise gives. */
function later(promise: PromiseLike<unknown>, open: (value: unknown) => AnyIterator<unknown>): AsyncIterator<unknown> {
  const opened = Promise.resolve(promise).then(open);
  return {
    next: async () => (await opened).next(),
    return: async () => {
      leave(await opened);
      return done;
    },
  };
}
