/** Calls that this side makes. */

import { Code } from "../code.js";
import { codecError, type Encoded, encodePayload } from "../codec.js";
import { type Bucket, deadlines, type Expiring } from "../deadlines.js";
import type { MethodDescriptor } from "../descriptor.js";
import { AnyplugError } from "../error.js";
import type { MessageEvent } from "../event.js";
import type { CallHeader, Metadata } from "../header.js";
import { errorOf, failure, type Status, statusOf } from "../status.js";
import { abortError, type Begun, type CallOptions, deadlineError } from "../transport.js";
import type { Engine, Slot } from "./engine.js";

/** What unary calls and streams have in common. */
export abstract class OutgoingCall implements Slot, Expiring {
  bucket: Bucket | undefined;
  before: Expiring | undefined;
  after: Expiring | undefined;
  protected readonly engine: Engine;
  protected readonly method: MethodDescriptor;
  protected readonly options: CallOptions | undefined;
  deadline: number | undefined;
  protected id = 0;
  protected ended = false;
  #timeoutMs = 0;
  /** Why this side gave up. The status that comes back from the session says the same, without the cause. */
  #reason: AnyplugError | undefined;

  constructor(engine: Engine, method: MethodDescriptor, options: CallOptions | undefined) {
    this.engine = engine;
    this.method = method;
    this.options = options;
  }

  /** A response, in order. */
  protected abstract received(event: MessageEvent): void;
  /** The call is over; an error unless it succeeded. Called once. */
  protected abstract finished(error: AnyplugError | undefined): void;
  writable(): void {}

  /** @throws AnyplugError as `Session.requestAt`. */
  protected request(index: number, { header, deadline, timeoutMs }: Begun, message: Encoded | undefined): void {
    const end = message !== undefined;
    const { session } = this.engine;
    this.id = session.requestAt(index, { header, payload: message?.bytes, size: message?.length, end, owner: this });
    this.watch(deadline, timeoutMs);
    this.engine.settle();
  }

  /** From now on the deadline and the signals of the call count. */
  protected watch(deadline: number | undefined, timeoutMs: number): void {
    if (deadline !== undefined) {
      this.deadline = deadline;
      this.#timeoutMs = timeoutMs;
      deadlines.add(this, deadline);
    }
    this.options?.signal?.addEventListener("abort", this);
    this.options?.within?.signal.addEventListener("abort", this);
  }

  /** A signal was aborted. */
  handleEvent({ target }: Event): void {
    this.cancel(abortError(target as AbortSignal));
  }

  expire(): void {
    this.cancel(deadlineError(this.#timeoutMs));
  }

  /** Gives the call up: the caller gets `reason`, the callee `told`. */
  protected cancel(reason: AnyplugError, told: Status = statusOf(reason)): void {
    if (this.ended) return;
    this.#reason ??= reason;
    this.engine.session.cancel(this.id, told);
    this.engine.settle();
    // When the callee had ended the call already, no event says so again.
    this.#finish(this.#reason);
  }

  message(event: MessageEvent): void {
    if (this.ended) return;
    if (event.header !== undefined) this.#tellHeader(event.header);
    if (!this.ended) this.received(event);
    if (event.end) this.#finish(this.#reason);
  }

  end(status: Status): void {
    if (this.ended) return;
    if (this.#reason === undefined) this.#guard(() => this.trailer(status.metadata));
    this.#finish(this.#reason ?? (status.code === 0 ? undefined : errorOf(status)));
  }

  /** The metadata of the end came. */
  protected trailer(metadata: Metadata): void {
    const { onTrailer } = this.options ?? {};
    if (metadata.length > 0) onTrailer?.(metadata);
  }

  cancelled(): void {}

  #tellHeader({ metadata }: CallHeader): void {
    const { onHeader } = this.options ?? {};
    if (onHeader !== undefined && metadata.length > 0) this.#guard(() => onHeader(metadata));
  }

  /** Runs a function of the user. What it throws fails the call. */
  #guard(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      const reason = AnyplugError.from(error);
      if (!this.ended) this.cancel(reason, callerFailed(reason));
      this.#reason ??= reason;
    }
  }

  #finish(error: AnyplugError | undefined): void {
    if (this.ended) return;
    this.ended = true;
    deadlines.remove(this);
    this.options?.signal?.removeEventListener("abort", this);
    this.options?.within?.signal.removeEventListener("abort", this);
    this.finished(error);
  }

  /** Reads a response. One that cannot be read gives the call up. */
  protected decode<O>(method: MethodDescriptor<unknown, O>, event: MessageEvent): O | undefined {
    try {
      return this.engine.read(method.output, event);
    } catch (error) {
      this.cancel(codecError(Code.Internal, "response", method, "parsed", error));
      return undefined;
    }
  }
}

/** What the callee is told when the call was given up for a failure of the caller's own code. */
export function callerFailed(reason: AnyplugError): Status {
  return failure(Code.Cancelled, `the caller failed: ${reason.message}`);
}

/** What a call ends with that has succeeded without its one response. */
export function noResponse({ path }: MethodDescriptor): AnyplugError {
  return new AnyplugError(Code.Internal, `${path} succeeded without a response`);
}

/** What a call ends with that has got a second response. */
export function secondResponse({ path }: MethodDescriptor): AnyplugError {
  return new AnyplugError(Code.Internal, `${path} sent a second response where its kind promises one`);
}

/**
 * Returns a request in bytes, to be used at once.
 *
 * @throws AnyplugError INVALID_ARGUMENT when a member has a value that its field cannot hold.
 */
export function encodeRequest(method: MethodDescriptor, request: object, encode = encodePayload): Encoded {
  try {
    return encode(method.input, method.input.fromPartial(request));
  } catch (error) {
    throw codecError(Code.InvalidArgument, "request", method, "encoded", error);
  }
}

/** A call with one request and one response. */
export class UnaryCall<O> extends OutgoingCall {
  readonly #method: MethodDescriptor<unknown, O>;
  readonly #resolve: (response: O) => void;
  readonly #reject: (error: AnyplugError) => void;
  #response: O | undefined;

  constructor(
    engine: Engine,
    method: MethodDescriptor<unknown, O>,
    options: CallOptions | undefined,
    resolve: (response: O) => void,
    reject: (error: AnyplugError) => void,
  ) {
    super(engine, method, options);
    this.#method = method;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** @throws AnyplugError when the call cannot be made. */
  start(index: number, begun: Begun, message: Encoded): void {
    this.request(index, begun, message);
  }

  /** Goes on with a call that was made the short way, and whose answer is pending. */
  adopt({ deadline, timeoutMs }: Begun, message: Encoded): void {
    this.id = this.engine.nowId;
    this.engine.session.adoptCall(this.id, message.length, this);
    this.watch(deadline, timeoutMs);
    this.engine.delivered();
  }

  protected received(event: MessageEvent): void {
    if (this.#response !== undefined) return this.cancel(secondResponse(this.method));
    this.#response = this.decode(this.#method, event);
    if (!event.end) this.engine.session.consume(this.id, event.to - event.from);
  }

  protected finished(error: AnyplugError | undefined): void {
    if (error !== undefined) this.#reject(error);
    else if (this.#response === undefined) this.#reject(noResponse(this.method));
    else this.#resolve(this.#response);
  }
}
