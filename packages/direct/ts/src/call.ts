/** What unary calls and streams have in common. */

import { AnyplugError, type CallOptions, Code, type MessageCodec, type MethodDescriptor } from "@anyplug/core";
import {
  abortError,
  type Begun,
  type Bucket,
  type CallContext,
  codecError,
  deadlineError,
  deadlines,
  type Expiring,
  errorOf,
  type Route,
  type Surroundings,
  statusOf,
} from "@anyplug/core/transports";
import type { Callee, OpenCall, Shared } from "./shared.js";

/** Where the calls of a method go. */
export interface Target<I = unknown, O = unknown> {
  /** The method as the caller knows it. */
  readonly method: MethodDescriptor<I, O>;
  /** The method as the callee knows it, with its handler. */
  readonly route: Route;
  /** The side that has the handler. */
  readonly callee: Callee;
  /** What is around the handler. */
  readonly surroundings: Surroundings;
  /** The two sides have different schemas, though compatible ones: messages go through their encoding. */
  readonly converts: boolean;
}

/**
 * Returns the request as the handler gets it: a copy, so that neither side sees what the other changes. Memory of `bytes` fields is shared.
 *
 * @throws AnyplugError INVALID_ARGUMENT when a member has a value that its field cannot hold.
 */
export function requestFor(target: Target, request: object): unknown {
  try {
    const { input } = target.route.method;
    return target.converts ? convert(target.method.input, input, request) : input.fromPartial(request);
  } catch (error) {
    throw codecError(Code.InvalidArgument, "request", target.method, "encoded", error);
  }
}

/**
 * Returns the response as the caller gets it.
 *
 * @throws AnyplugError INTERNAL when the handler gave no message, or one that cannot be encoded.
 */
export function responseFor<O>(target: Target<unknown, O>, response: unknown): O {
  if (typeof response !== "object" || response === null) throw noMessage(target.method, response);
  try {
    const { output } = target.method;
    return target.converts ? convert(target.route.method.output, output, response) : output.fromPartial(response);
  } catch (error) {
    throw codecError(Code.Internal, "response", target.method, "encoded", error);
  }
}

function noMessage({ path }: MethodDescriptor, response: unknown): AnyplugError {
  const message = `the handler of ${path} gave ${String(response)} for a response; give a message`;
  return new AnyplugError(Code.Internal, message);
}

function convert<T>(from: MessageCodec<unknown>, to: MessageCodec<T>, message: object): T {
  return to.decode(from.encode(from.fromPartial(message)).finish());
}

/** A call in flight: it ends when its handler does, when it is cancelled, when its time is over and when the link ends. */
export abstract class DirectCall implements OpenCall, Expiring {
  isOpen = false;
  older: OpenCall | undefined;
  newer: OpenCall | undefined;
  bucket: Bucket | undefined;
  before: Expiring | undefined;
  after: Expiring | undefined;
  /** Why the call was given up. */
  protected reason: AnyplugError | undefined;
  protected ended = false;
  protected readonly target: Target;
  protected readonly context: CallContext;
  protected readonly options: CallOptions | undefined;
  readonly #shared: Shared;
  readonly #begun: Begun;

  constructor(shared: Shared, target: Target, context: CallContext, begun: Begun, options: CallOptions | undefined) {
    this.#shared = shared;
    this.target = target;
    this.context = context;
    this.options = options;
    this.#begun = begun;
  }

  /** The call was given up: whoever waits for it is told. */
  protected abstract gaveUp(reason: AnyplugError): void;

  /** From now on the call can be given up. */
  track(): void {
    this.#shared.add(this, this.target.callee);
    if (this.#begun.deadline !== undefined) deadlines.add(this, this.#begun.deadline);
    this.options?.signal?.addEventListener("abort", this);
    this.options?.within?.signal.addEventListener("abort", this);
  }

  handleEvent({ target }: Event): void {
    this.cancel(abortError(target as AbortSignal));
  }

  expire(): void {
    this.cancel(deadlineError(this.#begun.timeoutMs));
  }

  /** Gives the call up: the caller gets `reason`, the handler sees `told`. */
  cancel(reason: AnyplugError, told = reason): void {
    if (this.ended) return;
    this.reason = reason;
    this.finish();
    this.context.cancel(told);
    this.gaveUp(reason);
  }

  protected finish(): void {
    this.ended = true;
    this.#shared.remove(this, this.target.callee);
    deadlines.remove(this);
    this.options?.signal?.removeEventListener("abort", this);
    this.options?.within?.signal.removeEventListener("abort", this);
  }
}

/** Gives the caller the metadata that goes before the first message. */
export function tellHeader(context: CallContext, options: CallOptions | undefined): void {
  const header = context.takeHeader();
  if (header !== undefined) options?.onHeader?.(header);
}

/** Gives the caller the metadata that goes after the last message. */
export function tellTrailer(context: CallContext, options: CallOptions | undefined): void {
  const trailer = context.takeTrailer();
  if (trailer !== undefined) options?.onTrailer?.(trailer);
}

/** Returns what the caller gets of what a handler threw: code, message, details and metadata, as from any peer. */
export function failureOf(
  { route }: Target,
  error: unknown,
  context: CallContext,
  options: CallOptions | undefined,
): AnyplugError {
  const failure = route.failure(error);
  const metadata = [...failure.metadata, ...(context.takeHeader() ?? []), ...(context.takeTrailer() ?? [])];
  if (metadata.length > 0) options?.onTrailer?.(metadata);
  return errorOf({ ...statusOf(failure), metadata });
}
