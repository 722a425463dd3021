/** The connection: a session with its pending calls and its handlers, over a channel. */

import type { Channel } from "./channel.js";
import { createClient, notSynchronous } from "./client.js";
import { Code } from "./code.js";
import { Bindings } from "./connection/binding.js";
import { Engine, type EngineOwner } from "./connection/engine.js";
import { unaryNow, unarySync } from "./connection/now.js";
import { encodeRequest, UnaryCall } from "./connection/outgoing.js";
import { type ServedNow, serveNow } from "./connection/served.js";
import { StreamCall } from "./connection/stream.js";
import { waitWithin } from "./connection/wait.js";
import type { MethodDescriptor, ServiceDescriptor } from "./descriptor.js";
import { AnyplugError } from "./error.js";
import type { Hello } from "./hello.js";
import type { LimitOptions, Limits } from "./limits.js";
import type { LogRecord } from "./log.js";
import type { MessageQueue } from "./queue.js";
import { Router } from "./router.js";
import type { Role } from "./session.js";
import { statusOf } from "./status.js";
import { LazyStream } from "./stream.js";
import { begin, type CallOptions, type Link, type PeerInfo } from "./transport.js";

/** How a connection is made. */
export interface ConnectionOptions {
  readonly role: Role;
  /** The name of this plugin or host program. */
  readonly name: string;
  readonly version: string;
  /** The language and library, for people and logs only. */
  readonly runtime?: string | undefined;
  /** The limits that its owner sets. A plugin takes over the host's where none is set. */
  readonly limits?: LimitOptions | undefined;
  /** What is served, and what the peer may call of it. Default: nothing. */
  readonly router?: Router | undefined;
  /** Takes the records that the peer logs, and at a host those of its own handlers. Default: they are dropped. */
  readonly onLog?: ((record: LogRecord) => void) | undefined;
  /** Of a host: the plugin that it wants, where a set is served at one address. */
  readonly plugin?: string | undefined;
  /** Of a host: the configuration of a plugin that it does not start, as JSON. */
  readonly config?: string | undefined;
}

/** One side of a connection. It speaks as soon as it is made. */
export class Connection implements Link, AsyncDisposable {
  readonly opened: Promise<PeerInfo>;
  readonly closed: Promise<AnyplugError>;
  readonly #engine: Engine;
  readonly #bindings: Bindings;
  readonly #pings = new Map<bigint, (error?: AnyplugError) => void>();
  #pingCount = 0n;
  #drained: Promise<void>;

  /** @throws AnyplugError INVALID_ARGUMENT when more methods are served than a connection takes. */
  constructor(channel: Channel, options: ConnectionOptions) {
    const opened = deferred<PeerInfo>();
    const closed = deferred<AnyplugError>();
    const drained = deferred<void>();
    this.opened = opened.promise;
    this.closed = closed.promise;
    this.#drained = drained.promise;
    // Whoever does not wait for it has other ways to see that it failed.
    opened.promise.catch(() => {});
    const owner: EngineOwner = {
      transport: this,
      onHello: opened.resolve,
      onPong: (payload) => this.#ponged(payload),
      onLog: (record) => tell(options.onLog, record),
      onDrained: drained.resolve,
      onClosed: (reason) => {
        opened.reject(reason);
        drained.resolve();
        for (const settle of this.#pings.values()) settle(reason);
        closed.resolve(reason);
      },
    };
    const router = options.router ?? new Router();
    const { role, name, version, runtime = defaultRuntime, limits, plugin, config } = options;
    const { services, uses } = router;
    const session = { role, name, version, runtime, limits, services, uses, plugin, config };
    this.#engine = new Engine(channel, session, router, owner);
    this.#bindings = new Bindings(this.#engine.session, this);
    this.#engine.open();
  }

  /** What the peer's hello said, once it has come. */
  get peer(): Hello | undefined {
    return this.#engine.session.peer;
  }

  /** The limits of this side; a plugin's are final once the connection is open. */
  get limits(): Limits {
    return this.#engine.session.limits;
  }

  /** Whether no new calls are made: either side ends it when those in flight have ended. */
  get isDraining(): boolean {
    return this.#engine.session.isDraining;
  }

  /** How many calls are open, in both directions. */
  get openCalls(): number {
    return this.#engine.session.openCalls;
  }

  /** How many bytes of messages and frames are held: unread by the application, and not yet taken by the channel. */
  get bufferedBytes(): number {
    return this.#engine.session.unreadBytes + this.#engine.session.outputBytes;
  }

  client<Client>(service: ServiceDescriptor<Client, unknown>): Client {
    return createClient(service, this);
  }

  unary<I, O>(method: MethodDescriptor<I, O>, request: object, options?: CallOptions): Promise<O> {
    const binding = this.#bindings.ready(method.service);
    if (binding === undefined) return this.#unaryLater(method, request, options);
    const known = binding[method.index];
    if (known !== undefined && this.#engine.answersNow) return unaryNow(this.#engine, method, known, request, options);
    return new Promise((resolve, reject) => {
      try {
        const index = known ?? this.#missing(method);
        const begun = begin(method, options);
        const message = encodeRequest(method, request);
        new UnaryCall(this.#engine, method, options, resolve, reject).start(index, begun, message);
      } catch (error) {
        reject(AnyplugError.from(error, Code.Internal));
      }
    });
  }

  /**
   * Calls a unary method and returns its response, where the peer is in this process and answers at once. `request` may be partial.
   *
   * @throws AnyplugError with the status of the call; FAILED_PRECONDITION when it cannot be answered at once: by this transport, by this method, or because the schemas are not compared yet.
   */
  unarySync<I, O>(method: MethodDescriptor<I, O>, request: object, options?: CallOptions): O {
    if (!this.#engine.answersNow) throw notSynchronous();
    const binding = this.#bindings.now(method.service);
    if (binding === undefined) throw this.#unbound(method.service);
    return unarySync(this.#engine, method, binding[method.index] ?? this.#missing(method), request, options);
  }

  stream<I, O>(
    method: MethodDescriptor<I, O>,
    requests: AsyncIterable<object> | Iterable<object>,
    options?: CallOptions,
  ): AsyncIterableIterator<O> {
    return new LazyStream(() => {
      if (this.#bindings.ready(method.service) !== undefined) return this.#stream(method, requests, options);
      return this.#bindWithin(method, options).then((later) => this.#stream(method, requests, later));
    });
  }

  async negotiate(service: ServiceDescriptor): Promise<void> {
    await this.opened;
    await this.#bindings.bind(service);
  }

  async negotiateUses(): Promise<void> {
    await this.opened;
    const { session, router } = this.#engine;
    if (session.peer === undefined) return;
    await this.#bindings.checkUses(session.peer, (name) => router.service(name)?.[0]?.method.service);
  }

  /**
   * Sends a ping and waits for its answer. Returns the milliseconds that it took.
   *
   * @throws AnyplugError (rejects) UNAVAILABLE when the connection ends.
   */
  async ping(): Promise<number> {
    await this.opened;
    this.#pingCount += 1n;
    const number = this.#pingCount;
    const payload = new Uint8Array(8);
    new DataView(payload.buffer).setBigUint64(0, number, true);
    const start = performance.now();
    this.#engine.session.ping(payload);
    const answered = new Promise<void>((resolve, reject) => {
      this.#pings.set(number, (error) => (error === undefined ? resolve() : reject(error)));
    });
    this.#engine.settle();
    await answered;
    return performance.now() - start;
  }

  /** Sends a record to the peer's log. It is dropped when the connection is not open, and when the peer does not read. */
  log(record: LogRecord): void {
    this.#engine.session.log(record);
    this.#engine.settle();
  }

  drain(): Promise<void> {
    this.#engine.session.drain();
    this.#engine.settle();
    return this.#drained;
  }

  /**
   * Serves a call with one request that the peer makes the short way of the embedded ABI: a REQUEST frame with END, in parts. `bytes` are read before this returns. When all that came of it has
   * run, what is returned says how it ended, or is told to keep the call.
   */
  serveNow(id: number, index: number, hasHeader: boolean, bytes: Uint8Array): ServedNow {
    return serveNow(this.#engine, id, index, hasHeader, bytes);
  }

  /** Ends the connection now. Calls in flight end with UNAVAILABLE and the reason; with a reason, the peer is told too. */
  close(reason?: AnyplugError): void {
    if (reason === undefined) return this.end(closedHere);
    this.#engine.session.fail(statusOf(reason));
    this.#engine.settle();
  }

  /** Ends the connection now, in these words for whoever calls from this side; the peer sees the end of the stream. */
  end(reason: AnyplugError): void {
    this.#engine.session.closed(statusOf(reason));
    this.#engine.settle();
  }

  /** Drains, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
    this.close();
  }

  #stream<I, O>(
    method: MethodDescriptor<I, O>,
    requests: AsyncIterable<object> | Iterable<object>,
    options: CallOptions | undefined,
  ): MessageQueue<O> {
    const index = this.#bindings.ready(method.service)?.[method.index] ?? this.#missing(method);
    const call = new StreamCall(this.#engine, method, options);
    call.start(index, begin(method, options), requests);
    return call.responses;
  }

  async #unaryLater<I, O>(method: MethodDescriptor<I, O>, request: object, options?: CallOptions): Promise<O> {
    const later = await this.#bindWithin(method, options);
    return this.unary(method, request, later);
  }

  /** Waits until the connection is open and the schemas are compared. Returns the options with the time that is left. */
  async #bindWithin(method: MethodDescriptor, options: CallOptions | undefined): Promise<CallOptions | undefined> {
    const begun = begin(method, options);
    // When it ended before it opened, binding says so in the words of every other call.
    const opened = this.opened.catch(() => {});
    await waitWithin(
      opened.then(() => this.#bindings.bind(method.service)),
      begun,
      options,
    );
    return begun.deadline === undefined ? options : { ...options, timeoutMs: begun.deadline - performance.now() };
  }

  /** @throws AnyplugError UNIMPLEMENTED, with what the peer has instead. */
  #missing({ service, name }: MethodDescriptor): number {
    return this.#engine.session.methodIndex(service.name, name);
  }

  /** Why no index is known for a service that is called synchronously. */
  #unbound({ name, methods }: ServiceDescriptor): AnyplugError {
    try {
      this.#engine.session.methodIndex(name, methods[0]?.name ?? "");
    } catch (error) {
      return AnyplugError.from(error);
    }
    const message = `the schemas of ${name} are not compared yet: await negotiate of the link, or a first call, before it is called synchronously`;
    return new AnyplugError(Code.FailedPrecondition, message);
  }

  #ponged(payload: Uint8Array): void {
    if (payload.length !== 8) return;
    const number = new DataView(payload.buffer, payload.byteOffset, 8).getBigUint64(0, true);
    this.#pings.get(number)?.();
    this.#pings.delete(number);
  }
}

const defaultRuntime = "typescript anyplug/0.1.0";

const closedHere = new AnyplugError(Code.Unavailable, "this side closed the connection");

interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: AnyplugError): void;
}

function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (error: AnyplugError) => void = () => {};
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** Calls a function of the user, whose failure is not the connection's. */
function tell(onLog: ((record: LogRecord) => void) | undefined, record: LogRecord): void {
  try {
    onLog?.(record);
  } catch (error) {
    console.error("anyplug: onLog failed:", error);
  }
}
