/** Calls with one request and one response. */

import { AnyplugError, type CallOptions } from "@anyplug/core";
import { admit, type Begun, begin, CallContext } from "@anyplug/core/transports";
import { DirectCall, failureOf, requestFor, responseFor, type Target, tellHeader, tellTrailer } from "./call.js";
import type { Shared } from "./shared.js";

/**
 * Calls a unary method.
 *
 * @throws AnyplugError with the status of the call, when it has ended by the time this would return.
 */
export function callUnary<O>(
  shared: Shared,
  target: Target<unknown, O>,
  request: object,
  options: CallOptions | undefined,
): Promise<O> {
  const begun = begin(target.method, options);
  const message = requestFor(target, request);
  const context = new CallContext(target.route.method, begun.header, begun.deadline, target.surroundings);
  const answer = run(target, message, context, options);
  if (isThenable(answer)) return answerOf(shared, target, context, begun, options, answer);
  return Promise.resolve(answered(target, answer, context, options));
}

function run(target: Target, message: unknown, context: CallContext, options: CallOptions | undefined): unknown {
  const { route } = target;
  try {
    admit(route, context);
    return route.call.call(route.handler, message, context);
  } catch (error) {
    throw failureOf(target, error, context, options);
  }
}

/** Waits for the handler. */
function answerOf<O>(
  shared: Shared,
  target: Target<unknown, O>,
  context: CallContext,
  begun: Begun,
  options: CallOptions | undefined,
  answer: PromiseLike<unknown>,
): Promise<O> {
  return new Promise((resolve, reject) => {
    new UnaryCall(shared, target, context, begun, options, resolve, reject).settle(answer);
  });
}

function answered<O>(
  target: Target<unknown, O>,
  answer: unknown,
  context: CallContext,
  options: CallOptions | undefined,
): O {
  const response = responseFor(target, answer);
  tellHeader(context, options);
  tellTrailer(context, options);
  return response;
}

/** A call whose handler has not answered at once. */
class UnaryCall<O> extends DirectCall {
  readonly #target: Target<unknown, O>;
  readonly #resolve: (response: O) => void;
  readonly #reject: (error: AnyplugError) => void;

  constructor(
    shared: Shared,
    target: Target<unknown, O>,
    context: CallContext,
    begun: Begun,
    options: CallOptions | undefined,
    resolve: (response: O) => void,
    reject: (error: AnyplugError) => void,
  ) {
    super(shared, target, context, begun, options);
    this.#target = target;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  settle(answer: PromiseLike<unknown>): void {
    this.track();
    answer.then(
      (response) => this.#answered(response),
      (error: unknown) => this.#failed(error),
    );
  }

  protected gaveUp(reason: AnyplugError): void {
    this.#reject(reason);
  }

  #answered(response: unknown): void {
    if (this.ended) return;
    this.finish();
    try {
      this.#resolve(answered(this.#target, response, this.context, this.options));
    } catch (error) {
      this.#reject(AnyplugError.from(error));
    }
  }

  #failed(error: unknown): void {
    if (this.ended) return;
    this.finish();
    try {
      this.#reject(failureOf(this.target, error, this.context, this.options));
    } catch (thrown) {
      // By onTrailer, which is the caller's.
      this.#reject(AnyplugError.from(thrown));
    }
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
