/** A link that is made again when it is lost. */

import { setTimeout as sleep } from "node:timers/promises";
import {
  AnyplugError,
  type CallOptions,
  Code,
  type Connection,
  createClient,
  type Link,
  type LogRecord,
  type MethodDescriptor,
  type PeerInfo,
  type ServiceDescriptor,
} from "@anyplug/core";
import { begin, LazyStream } from "@anyplug/core/transports";
import { withinTime } from "./time.js";

/** How a lost link is made again. */
export interface ReconnectOptions {
  /** Milliseconds before the first attempt. Default 50. Each attempt that fails doubles it. */
  readonly initialDelayMs?: number | undefined;
  /** Milliseconds between two attempts, at most. Default 10,000. */
  readonly maxDelayMs?: number | undefined;
  /** Attempts in a row that may fail; after the last one the plugin has ended. Default: without end. */
  readonly maxAttempts?: number | undefined;
  /** Milliseconds that an idempotent call without a deadline waits for the link. Default 30,000. */
  readonly retryTimeoutMs?: number | undefined;
}

/** What decides on the time between attempts, and waits. */
export interface Backoff extends Required<{ readonly [Option in keyof ReconnectOptions]: number }> {
  /** A number from 0 to below 1. */
  random(): number;
  /** Waits that many milliseconds; rejects when the signal is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<unknown>;
}

/** Returns what the options say, with the defaults, the time and the chance of this process. */
export function backoffOf(options: ReconnectOptions | boolean = true): Backoff {
  const {
    initialDelayMs = 50,
    maxDelayMs = 10_000,
    maxAttempts,
    retryTimeoutMs = 30_000,
  } = options === true || options === false ? {} : options;
  return {
    initialDelayMs,
    maxDelayMs,
    maxAttempts: options === false ? 0 : (maxAttempts ?? Number.POSITIVE_INFINITY),
    retryTimeoutMs,
    random: Math.random,
    wait: (ms, signal) => sleep(ms, undefined, { signal, ref: false }),
  };
}

/** Milliseconds before attempt `attempt`, the first being 0: it doubles up to the longest, and a random half of it is left out, so that many hosts do not come back at once. */
export function delayMs({ initialDelayMs, maxDelayMs, random }: Backoff, attempt: number): number {
  const longest = Math.min(maxDelayMs, initialDelayMs * 2 ** attempt);
  return longest * (0.5 + random() / 2);
}

/** What a link that is made again needs. */
export interface ReconnectingOptions {
  /** Makes a connection on which calls can be made. */
  readonly dial: (signal: AbortSignal) => Promise<Connection>;
  readonly backoff: Backoff;
  /** Takes what becomes of the link. */
  readonly onLog?: ((record: LogRecord) => void) | undefined;
}

/**
 * Carries calls over one connection after another. Calls in flight on a connection that is lost end with UNAVAILABLE. One of a method that the schema says is idempotent is
 * made again, once, when the link is back within its deadline; all others are not, and without a link they fail at once.
 */
export class ReconnectingLink implements Link {
  readonly opened: Promise<PeerInfo>;
  readonly closed: Promise<AnyplugError>;
  readonly #options: ReconnectingOptions;
  readonly #stop = new AbortController();
  #onClosed: (reason: AnyplugError) => void = () => {};
  #current: Connection | undefined;
  /** Why there is no link; for good when the signal is aborted. */
  #lost: AnyplugError | undefined;
  #waiting: (() => void)[] = [];

  /** `first` is open. */
  constructor(first: Connection, options: ReconnectingOptions) {
    this.#options = options;
    this.opened = first.opened;
    this.closed = new Promise((resolve) => {
      this.#onClosed = resolve;
    });
    this.#use(first);
  }

  client<Client>(service: ServiceDescriptor<Client, unknown>): Client {
    return createClient(service, this);
  }

  unary<I, O>(method: MethodDescriptor<I, O>, request: object, options?: CallOptions): Promise<O> {
    if (method.idempotent) return this.#again(method, request, options);
    const connection = this.#current;
    return connection === undefined ? Promise.reject(this.#down) : connection.unary(method, request, options);
  }

  stream<I, O>(
    method: MethodDescriptor<I, O>,
    requests: AsyncIterable<object> | Iterable<object>,
    options?: CallOptions,
  ): AsyncIterableIterator<O> {
    return new LazyStream(() => {
      if (this.#current === undefined) throw this.#down;
      return this.#current.stream(method, requests, options);
    });
  }

  async negotiate(service: ServiceDescriptor): Promise<void> {
    if (this.#current === undefined) throw this.#down;
    await this.#current.negotiate(service);
  }

  async negotiateUses(): Promise<void> {
    if (this.#current === undefined) throw this.#down;
    await this.#current.negotiateUses();
  }

  async drain(): Promise<void> {
    this.#stop.abort();
    await this.#current?.drain();
  }

  close(reason?: AnyplugError): void {
    this.#stop.abort();
    if (this.#current === undefined) return this.#finish(reason ?? this.#down);
    this.#current.close(reason);
  }

  /** Ends the link now, in these words for whoever calls from this side; the plugin sees the end of the stream. */
  end(reason: AnyplugError): void {
    this.#stop.abort();
    if (this.#current === undefined) return this.#finish(reason);
    this.#current.end(reason);
  }

  get #down(): AnyplugError {
    const reason = this.#lost?.message ?? "it was closed";
    const hope = this.#stop.signal.aborted ? "the connection ended" : "the link was lost and is being made again";
    return new AnyplugError(Code.Unavailable, `${hope}: ${reason}`);
  }

  async #again<I, O>(method: MethodDescriptor<I, O>, request: object, options: CallOptions | undefined): Promise<O> {
    const begun = begin(method, options);
    const deadline = begun.deadline ?? performance.now() + this.#options.backoff.retryTimeoutMs;
    const first = this.#current ?? (await this.#linkWithin(deadline, options));
    try {
      return await first.unary(method, request, options);
    } catch (error) {
      if (!(await this.#wasLost(first, error))) throw error;
      const second = await this.#linkWithin(deadline, options).catch(() => {
        throw error;
      });
      const timeoutMs = begun.deadline === undefined ? options?.timeoutMs : deadline - performance.now();
      return second.unary(method, request, { ...options, timeoutMs });
    }
  }

  /** Whether a call failed because its connection was lost, or is about to end. */
  async #wasLost(connection: Connection, error: unknown): Promise<boolean> {
    if (!(error instanceof AnyplugError) || error.code !== Code.Unavailable || this.#stop.signal.aborted) return false;
    // Calls hear of the end of a connection in the same turn as this link.
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#current === connection && connection.isDraining) await connection.closed;
    return this.#current !== connection;
  }

  /** Waits for a link. */
  async #linkWithin(deadline: number, options: CallOptions | undefined): Promise<Connection> {
    const late = () => new AnyplugError(Code.DeadlineExceeded, `the link was not back in time: ${this.#lost?.message}`);
    while (this.#current === undefined) {
      if (this.#stop.signal.aborted) throw this.#down;
      const back = new Promise<void>((resolve) => this.#waiting.push(resolve));
      await withinTime(back, Math.max(0, deadline - performance.now()), options?.signal, late);
    }
    return this.#current;
  }

  #use(connection: Connection): void {
    this.#current = connection;
    this.#lost = undefined;
    this.#tell();
    void connection.closed.then((reason) => this.#lose(reason));
  }

  async #lose(reason: AnyplugError): Promise<void> {
    this.#current = undefined;
    this.#lost = reason;
    if (reason.code !== Code.Unavailable || this.#stop.signal.aborted) return this.#finish(reason);
    const { backoff, dial, onLog } = this.#options;
    for (let attempt = 0; attempt < backoff.maxAttempts; attempt++) {
      try {
        await backoff.wait(delayMs(backoff, attempt), this.#stop.signal);
        const next = await dial(this.#stop.signal);
        if (this.#stop.signal.aborted) next.close();
        else {
          onLog?.({
            level: "info",
            message: `the link is back, after: ${reason.message}`,
            logger: "anyplug",
            timeMs: Date.now(),
            fields: {},
          });
          return this.#use(next);
        }
      } catch (error) {
        const failure = AnyplugError.from(error);
        if (this.#stop.signal.aborted) return;
        if (failure.code !== Code.Unavailable && failure.code !== Code.DeadlineExceeded) return this.#finish(failure);
        this.#lost = failure;
      }
    }
    this.#finish(this.#lost);
  }

  #finish(reason: AnyplugError): void {
    this.#stop.abort();
    this.#lost = reason;
    this.#onClosed(reason);
    this.#tell();
  }

  #tell(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
