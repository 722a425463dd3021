/** What a handler knows of the call it handles. */

import { createClient } from "./client.js";
import { Code } from "./code.js";
import type { MethodDescriptor, ServiceDescriptor } from "./descriptor.js";
import { AnyplugError } from "./error.js";
import { type CallHeader, checkMetadata, type Metadata } from "./header.js";
import type { LogFields, LogLevel, LogRecord } from "./log.js";
import type { CallOptions, PeerInfo, Transport } from "./transport.js";

/** The second argument of every handler: who called, how long it may take, whether it was cancelled; and a way to call the peer back. */
export interface HandlerContext {
  readonly method: MethodDescriptor;
  /** Who calls. */
  readonly peer: PeerInfo;
  /** The metadata that came with the request. */
  readonly metadata: Metadata;
  /** The names of the plugins and hosts whose calls led to this one, the first cause first; the caller's own is not in it. */
  readonly origin: readonly string[];
  /** W3C trace context; empty when the caller sent none. */
  readonly traceparent: string;
  /** W3C trace state; empty when the caller sent none. */
  readonly tracestate: string;
  /** The configuration that the router was made with. */
  readonly config: unknown;
  /** Aborted when the call is cancelled, by its caller, by its deadline, or because the connection ended. The reason is an AnyplugError. */
  readonly signal: AbortSignal;
  /** Why the call was cancelled; undefined while it goes on. */
  readonly cancellation: AnyplugError | undefined;
  /** Milliseconds that are left; undefined without a deadline. */
  readonly remainingMs: number | undefined;
  /** For long computations: throws why the call was cancelled as soon as nobody waits for the answer any more. */
  check(): void;
  /**
   * Adds metadata that goes to the caller with the first message.
   *
   * @throws AnyplugError FAILED_PRECONDITION after the first message, INVALID_ARGUMENT for a bad key.
   */
  appendHeader(key: string, value: string): void;
  /**
   * Adds metadata that goes to the caller after the last message, also when the call fails.
   *
   * @throws AnyplugError INVALID_ARGUMENT for a bad key.
   */
  appendTrailer(key: string, value: string): void;
  /** A client for a service of the caller. Its calls are made within this one: see `CallOptions.within`. */
  client<Client>(service: ServiceDescriptor<Client, unknown>): Client;
  /** Writes to the log: a plugin's goes to its host, a host's to its own. */
  log(level: LogLevel, message: string, fields?: LogFields): void;
}

/** What is around a call that is being handled. Connections and in-process transports are it. */
export interface Surroundings {
  readonly peerInfo: PeerInfo;
  /** How to call the peer. */
  readonly transport: Transport;
  readonly config: unknown;
  /** Takes a log record of a handler. */
  log(record: LogRecord): void;
}

const noMetadata: Metadata = [];
const noOrigin: readonly string[] = [];

/** The context of one call; for transports. */
export class CallContext implements HandlerContext {
  readonly method: MethodDescriptor;
  /** By the clock of `performance.now`; undefined without a deadline. */
  readonly deadline: number | undefined;
  readonly #header: CallHeader | undefined;
  readonly #surroundings: Surroundings;
  #controller: AbortController | undefined;
  #cancellation: AnyplugError | undefined;
  #answerHeader: [string, string][] | undefined;
  #answerTrailer: [string, string][] | undefined;
  #headerSent = false;

  /** `deadline` is by the clock of `performance.now`; undefined without one. */
  constructor(
    method: MethodDescriptor,
    header: CallHeader | undefined,
    deadline: number | undefined,
    surroundings: Surroundings,
  ) {
    this.method = method;
    this.deadline = deadline;
    this.#header = header;
    this.#surroundings = surroundings;
  }

  get peer(): PeerInfo {
    return this.#surroundings.peerInfo;
  }

  get metadata(): Metadata {
    return this.#header?.metadata ?? noMetadata;
  }

  get origin(): readonly string[] {
    return this.#header?.origin ?? noOrigin;
  }

  get traceparent(): string {
    return this.#header?.traceparent ?? "";
  }

  get tracestate(): string {
    return this.#header?.tracestate ?? "";
  }

  get config(): unknown {
    return this.#surroundings.config;
  }

  get signal(): AbortSignal {
    // Made when it is first asked for: a controller costs more than the rest of a small call.
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#cancellation !== undefined) this.#controller.abort(this.#cancellation);
    }
    return this.#controller.signal;
  }

  get cancellation(): AnyplugError | undefined {
    return this.#cancellation;
  }

  get remainingMs(): number | undefined {
    return this.deadline === undefined ? undefined : Math.max(0, this.deadline - performance.now());
  }

  check(): void {
    if (this.#cancellation !== undefined) throw this.#cancellation;
  }

  appendHeader(key: string, value: string): void {
    checkMetadata(key, value);
    if (this.#headerSent) {
      const message = "the first message was sent, and header metadata goes before it";
      throw new AnyplugError(Code.FailedPrecondition, message);
    }
    this.#answerHeader ??= [];
    this.#answerHeader.push([key, value]);
  }

  appendTrailer(key: string, value: string): void {
    checkMetadata(key, value);
    this.#answerTrailer ??= [];
    this.#answerTrailer.push([key, value]);
  }

  client<Client>(service: ServiceDescriptor<Client, unknown>): Client {
    return createClient(service, new WithinTransport(this.#surroundings.transport, this));
  }

  log(level: LogLevel, message: string, fields: LogFields = {}): void {
    const logger = this.method.service.name;
    this.#surroundings.log({ level, message, logger, timeMs: Date.now(), fields });
  }

  /** Tells the handler that the call is over; for transports. Only the first reason counts. */
  cancel(reason: AnyplugError): void {
    if (this.#cancellation !== undefined) return;
    this.#cancellation = reason;
    this.#controller?.abort(reason);
  }

  /** The metadata to send with the first message, once; for transports. */
  takeHeader(): Metadata | undefined {
    const header = this.#answerHeader;
    this.#headerSent = true;
    this.#answerHeader = undefined;
    return header;
  }

  /** The metadata to send after the last message; for transports. */
  takeTrailer(): Metadata | undefined {
    const trailer = this.#answerTrailer;
    this.#answerTrailer = undefined;
    return trailer;
  }
}

/** Makes calls belong to the call that a handler handles. */
class WithinTransport implements Transport {
  readonly #transport: Transport;
  readonly #context: HandlerContext;

  constructor(transport: Transport, context: HandlerContext) {
    this.#transport = transport;
    this.#context = context;
  }

  unary<I, O>(method: MethodDescriptor<I, O>, request: object, options?: CallOptions): Promise<O> {
    return this.#transport.unary(method, request, { ...options, within: this.#context });
  }

  stream<I, O>(
    method: MethodDescriptor<I, O>,
    requests: AsyncIterable<object> | Iterable<object>,
    options?: CallOptions,
  ): AsyncIterableIterator<O> {
    return this.#transport.stream(method, requests, { ...options, within: this.#context });
  }
}
