/** Two sides in one process: each calls the handlers of the other with objects. */

import {
  AnyplugError,
  type CallOptions,
  Code,
  createClient,
  type LimitOptions,
  type Link,
  type LogRecord,
  type MethodDescriptor,
  type PeerInfo,
  type Router,
  type ServiceDescriptor,
} from "@anyplug/core";
import { checkCompatible, LazyStream, mergeLimits, type Route, type Surroundings } from "@anyplug/core/transports";
import type { Target } from "./call.js";
import { type Callee, Shared } from "./shared.js";
import { callStream } from "./stream.js";
import { callUnary } from "./unary.js";

/** One side of a direct link. */
export interface DirectSide {
  /** The name of the plugin or host program. */
  readonly name: string;
  readonly version: string;
  /** What it serves, and what the other side may call of it. */
  readonly router: Router;
  /** Of these only `maxPendingRequests` applies; a plugin's default is its host's. */
  readonly limits?: LimitOptions | undefined;
}

/** How a direct link is made. */
export interface DirectOptions {
  readonly host: DirectSide;
  readonly plugin: DirectSide;
  /** Takes the records that the handlers of both sides log. Default: they are dropped. */
  readonly onLog?: ((record: LogRecord) => void) | undefined;
}

/** Returns the host's end of a link to a plugin in this process. It is open at once. */
export function connectDirect({ host, plugin, onLog }: DirectOptions): Link & AsyncDisposable {
  const shared = new Shared(onLog);
  const hostLimits = mergeLimits(host.limits);
  const { maxPendingRequests } = mergeLimits(plugin.limits, hostLimits);
  const toPlugin: DirectLink = new DirectLink(shared, host, plugin, maxPendingRequests, () => toHost);
  const toHost: DirectLink = new DirectLink(shared, plugin, host, hostLimits.maxPendingRequests, () => toPlugin);
  return toPlugin;
}

const runtime = "typescript anyplug/0.1.0 (direct)";

/** One end: the calls that one side makes of the other. */
class DirectLink implements Link, AsyncDisposable {
  readonly opened: Promise<PeerInfo>;
  readonly closed: Promise<AnyplugError>;
  readonly #shared: Shared;
  readonly #own: DirectSide;
  readonly #peer: DirectSide;
  readonly #callee: Callee;
  readonly #targets = new Map<MethodDescriptor, Target>();
  readonly #surroundings: Surroundings;

  /** The peer answers `mostPending` calls at once; `back` gives the other end: what its handlers call. */
  constructor(shared: Shared, own: DirectSide, peer: DirectSide, mostPending: number, back: () => Link) {
    this.#shared = shared;
    this.#own = own;
    this.#peer = peer;
    this.#callee = { name: peer.name, mostPending, pending: 0 };
    this.opened = Promise.resolve({ name: peer.name, version: peer.version, runtime });
    this.closed = shared.closed;
    this.#surroundings = {
      peerInfo: { name: own.name, version: own.version, runtime },
      config: peer.router.config,
      get transport() {
        return back();
      },
      log: (record) => shared.log(record),
    };
  }

  client<Client>(service: ServiceDescriptor<Client, unknown>): Client {
    return createClient(service, this);
  }

  unary<I, O>(method: MethodDescriptor<I, O>, request: object, options?: CallOptions): Promise<O> {
    try {
      this.#shared.checkOpen(this.#callee);
      return callUnary(this.#shared, this.#target(method), request, options);
    } catch (error) {
      return rejected(error);
    }
  }

  stream<I, O>(
    method: MethodDescriptor<I, O>,
    requests: AsyncIterable<object> | Iterable<object>,
    options?: CallOptions,
  ): AsyncIterableIterator<O> {
    return new LazyStream(() => {
      this.#shared.checkOpen(this.#callee);
      return callStream(this.#shared, this.#target(method), requests, options);
    });
  }

  async negotiate(service: ServiceDescriptor): Promise<void> {
    const [method] = service.methods;
    if (method !== undefined) this.#target(method);
  }

  async negotiateUses(): Promise<void> {
    for (const use of this.#peer.router.usedServices) {
      const served = this.#own.router.service(use.name)?.[0]?.method.service;
      if (served !== undefined) checkSchema(use, served);
    }
  }

  drain(): Promise<void> {
    return this.#shared.drain();
  }

  close(reason?: AnyplugError): void {
    this.#shared.close(reason ?? new AnyplugError(Code.Unavailable, "this side closed the connection"));
  }

  /** Drains, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
    this.close();
  }

  /** @throws AnyplugError UNIMPLEMENTED when the peer has no such method, FAILED_PRECONDITION when the schemas are not compatible. */
  #target<I, O>(method: MethodDescriptor<I, O>): Target<I, O> {
    // The codecs of a target are those of its method.
    return (this.#targets.get(method) as Target<I, O> | undefined) ?? this.#newTarget(method);
  }

  #newTarget<I, O>(method: MethodDescriptor<I, O>): Target<I, O> {
    const route = this.#route(method);
    const converts = !checkSchema(method.service, route.method.service);
    const target = { method, route, callee: this.#callee, surroundings: this.#surroundings, converts };
    this.#targets.set(method, target);
    return target;
  }

  #route({ service, name }: MethodDescriptor): Route {
    const routes = this.#peer.router.service(service.name);
    const route = routes?.find(({ method }) => method.name === name);
    if (route !== undefined) return route;
    if (routes !== undefined) {
      const methods = routes.map(({ method }) => method.name).join(", ");
      const message = `"${this.#peer.name}" has no method ${service.name}/${name}; it has ${methods}`;
      throw new AnyplugError(Code.Unimplemented, message);
    }
    const offered =
      this.#peer.router.services
        .slice(1)
        .map((entry) => entry.name)
        .join(", ") || "nothing";
    const message = `"${this.#peer.name}" does not serve ${service.name}; it serves ${offered}`;
    throw new AnyplugError(Code.Unimplemented, message);
  }
}

function rejected(error: unknown): Promise<never> {
  return Promise.reject(AnyplugError.from(error, Code.Internal));
}

/**
 * Compares the schemas of a service, as its caller and its callee know it. Returns whether they are the same.
 *
 * @throws AnyplugError FAILED_PRECONDITION when they are not compatible.
 */
function checkSchema(caller: ServiceDescriptor, callee: ServiceDescriptor): boolean {
  const isSame = caller === callee || caller.fingerprint === callee.fingerprint;
  if (!isSame) checkCompatible(caller.name, caller.descriptorSet(), callee.descriptorSet());
  return isSame;
}
