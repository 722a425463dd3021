/** What a typed client calls. Small on purpose: a transport is two functions. */

import { Code } from "./code.js";
import type { HandlerContext } from "./context.js";
import type { MethodDescriptor, ServiceDescriptor } from "./descriptor.js";
import { AnyplugError } from "./error.js";
import { type CallHeader, type Metadata, maxTimeoutMs, metadataFrom } from "./header.js";

/** What a caller can say about a call. */
export interface CallOptions {
  /** Milliseconds that the call may take. Default: what the schema says of the method; Infinity: no limit. */
  readonly timeoutMs?: number | undefined;
  /** Cancels the call when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Metadata for the callee. Keys are lower-case ASCII: letters, digits, `_`, `.` and `-`. */
  readonly metadata?: Readonly<Record<string, string>> | Metadata | undefined;
  /** Takes the metadata that the callee sends before its first message, if it sends some. */
  readonly onHeader?: ((metadata: Metadata) => void) | undefined;
  /** Takes the metadata that the callee sends at the end, if it sends some; of a call that failed too. */
  readonly onTrailer?: ((metadata: Metadata) => void) | undefined;
  /** W3C trace context. Absent: that of the call within which this one is made. */
  readonly traceparent?: string | undefined;
  /** W3C trace state. */
  readonly tracestate?: string | undefined;
  /** The call within which this one is made: its remaining time, its cancellation, its trace and its origin go along. */
  readonly within?: HandlerContext | undefined;
}

/** Carries calls to a peer. */
export interface Transport {
  /**
   * Calls a unary method. `request` may be partial.
   *
   * @throws AnyplugError (rejects) with the status of the call.
   */
  unary<I, O>(method: MethodDescriptor<I, O>, request: object, options?: CallOptions): Promise<O>;
  /**
   * Calls a method of any other kind. The call begins with the first `next()` and is cancelled by `return()`, that is, by leaving the loop. For a client stream
   * one message comes. The iterator can be used once.
   *
   * @throws AnyplugError (rejects) with the status of the call.
   */
  stream<I, O>(
    method: MethodDescriptor<I, O>,
    requests: AsyncIterable<object> | Iterable<object>,
    options?: CallOptions,
  ): AsyncIterableIterator<O>;
}

/** Who the peer is, as its hello said. */
export interface PeerInfo {
  /** The name of the plugin or host program. */
  readonly name: string;
  readonly version: string;
  /** The language and library of the peer, for people and logs only. */
  readonly runtime: string;
}

/** A connected peer, whatever carries the calls: `Connection` by bytes, the direct transport by objects. */
export interface Link extends Transport {
  /** Resolves when calls can be made; rejects when the connection ended before. */
  readonly opened: Promise<PeerInfo>;
  /** Resolves with the reason when the connection has ended. Never rejects. */
  readonly closed: Promise<AnyplugError>;
  /** Returns a typed client. The schemas are compared before its first call. */
  client<Client>(service: ServiceDescriptor<Client, unknown>): Client;
  /**
   * Calls a unary method and returns its response; only there where the peer is in this process and may answer at once.
   *
   * @throws AnyplugError with the status of the call; FAILED_PRECONDITION when it cannot be answered at once.
   */
  unarySync?<I, O>(method: MethodDescriptor<I, O>, request: object, options?: CallOptions): O;
  /**
   * Checks that the peer serves `service` with a compatible schema. Costs nothing when the fingerprints are equal.
   *
   * @throws AnyplugError (rejects) UNIMPLEMENTED when the peer has no such service, FAILED_PRECONDITION when the schemas differ in a way that breaks calls.
   */
  negotiate(service: ServiceDescriptor): Promise<void>;
  /**
   * Checks the services that the peer means to call against those that this side serves. One that this side lacks is no failure: its calls will be.
   *
   * @throws AnyplugError (rejects) FAILED_PRECONDITION when the schemas differ in a way that breaks calls.
   */
  negotiateUses(): Promise<void>;
  /** Begins a drain: calls in flight go on, new ones are refused on both sides. Resolves when none is left, or the connection has ended. */
  drain(): Promise<void>;
  /** Ends the connection now. Calls in flight end with UNAVAILABLE and the reason. */
  close(reason?: AnyplugError): void;
}

/** What the options of a call come to. */
export interface Begun {
  /** Undefined when there is nothing to say. */
  readonly header: CallHeader | undefined;
  /** By the clock of `performance.now`; undefined without one. */
  readonly deadline: number | undefined;
  /** Milliseconds until then. */
  readonly timeoutMs: number;
}

const noOptions: Begun = { header: undefined, deadline: undefined, timeoutMs: Number.POSITIVE_INFINITY };

/**
 * Returns the deadline and the call header that options give now; for transports.
 *
 * @throws AnyplugError DEADLINE_EXCEEDED when no time is left; the reason of the cancellation, when the signal was aborted or the call within which it is made was cancelled;
 * INVALID_ARGUMENT for a bad timeout or metadata key.
 */
export function begin(method: MethodDescriptor, options: CallOptions | undefined): Begun {
  return options === undefined && method.defaultTimeoutMs === 0 ? noOptions : beginWith(method, options);
}

/** Apart, so that what most calls need is small enough for an engine to put it where it is called. */
function beginWith(method: MethodDescriptor, options: CallOptions | undefined): Begun {
  const { signal, within } = options ?? {};
  within?.check();
  if (signal?.aborted === true) throw abortError(signal);
  const timeoutMs = Math.min(timeoutOf(method, options), within?.remainingMs ?? Number.POSITIVE_INFINITY);
  if (timeoutMs <= 0) throw new AnyplugError(Code.DeadlineExceeded, "the deadline passed before the call was made");
  const metadata = metadataFrom(options?.metadata);
  const traceparent = options?.traceparent ?? within?.traceparent ?? "";
  const tracestate = options?.tracestate ?? (options?.traceparent === undefined ? (within?.tracestate ?? "") : "");
  const origin = within === undefined ? noOrigin : [...within.origin, within.peer.name];
  if (timeoutMs === Number.POSITIVE_INFINITY) {
    const isEmpty = metadata.length === 0 && origin.length === 0 && traceparent === "" && tracestate === "";
    if (isEmpty) return noOptions;
    return {
      header: { timeoutMs: undefined, metadata, traceparent, tracestate, origin },
      deadline: undefined,
      timeoutMs,
    };
  }
  // Rounded up: a call that has some time left is not sent as one that has none.
  const sentMs = Math.min(maxTimeoutMs, Math.ceil(timeoutMs));
  const header = { timeoutMs: sentMs, metadata, traceparent, tracestate, origin };
  return { header, deadline: performance.now() + timeoutMs, timeoutMs };
}

const noOrigin: readonly string[] = [];

/** The timeout that a caller gave, else that of the method, in milliseconds. */
export function timeoutOf(method: MethodDescriptor, options: CallOptions | undefined): number {
  const { timeoutMs } = options ?? {};
  if (timeoutMs === undefined)
    return method.defaultTimeoutMs === 0 ? Number.POSITIVE_INFINITY : method.defaultTimeoutMs;
  if (Number.isNaN(timeoutMs)) throw new AnyplugError(Code.InvalidArgument, "timeoutMs is not a number");
  return timeoutMs;
}

/** Why a signal was aborted. */
export function abortError(signal: AbortSignal): AnyplugError {
  return AnyplugError.from(signal.reason, Code.Cancelled);
}

/** The error of a call whose time is over. */
export function deadlineError(timeoutMs: number): AnyplugError {
  return new AnyplugError(Code.DeadlineExceeded, `the call took longer than its ${Math.ceil(timeoutMs)} ms`);
}
