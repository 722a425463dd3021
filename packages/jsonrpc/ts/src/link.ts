/** A peer that speaks JSON-RPC, as a plugin: its services are those that are asked for. */

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
  Router,
  type ServiceDescriptor,
} from "@anyplug/core";
import { connectDirect } from "@anyplug/direct";
import { forwarded } from "./forward.js";
import type { JsonRpcPeer } from "./peer.js";

/** How the peer is called. */
export interface JsonRpcLinkOptions {
  /** The name and version of the plugin. */
  readonly name: string;
  readonly version: string;
  /** The name of this host. */
  readonly hostName: string;
  readonly limits?: LimitOptions | undefined;
  readonly onLog?: ((record: LogRecord) => void) | undefined;
}

/**
 * Calls a JSON-RPC peer by typed clients. The peer has no schema of its own: each call goes by the descriptors of the service that it is made of, as the caller knows them. Deadlines, cancellation and
 * limits are those of a direct link to a plugin whose handlers ask the peer.
 */
export class JsonRpcLink implements Link {
  readonly opened: Promise<PeerInfo>;
  readonly closed: Promise<AnyplugError>;
  readonly #peer: JsonRpcPeer;
  readonly #options: JsonRpcLinkOptions;
  readonly #links = new Map<ServiceDescriptor, Link>();
  #ended: AnyplugError | undefined;
  #isDraining = false;

  constructor(peer: JsonRpcPeer, options: JsonRpcLinkOptions) {
    this.#peer = peer;
    this.#options = options;
    this.opened = Promise.resolve({ name: options.name, version: options.version, runtime: "json-rpc" });
    this.closed = peer.closed.then((reason) => {
      this.#end(reason);
      return this.#ended ?? reason;
    });
  }

  client<Client>(service: ServiceDescriptor<Client, unknown>): Client {
    return createClient(service, this);
  }

  unary<I, O>(method: MethodDescriptor<I, O>, request: object, options?: CallOptions): Promise<O> {
    try {
      return this.#link(method.service).unary(method, request, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  stream<I, O>(
    method: MethodDescriptor<I, O>,
    requests: AsyncIterable<object> | Iterable<object>,
    options?: CallOptions,
  ): AsyncIterableIterator<O> {
    return this.#link(method.service).stream(method, requests, options);
  }

  /** The peer cannot be asked: what it lacks, it says when it is called. */
  async negotiate(): Promise<void> {}

  async negotiateUses(): Promise<void> {}

  async drain(): Promise<void> {
    this.#isDraining = true;
    await Promise.all([...this.#links.values()].map((link) => link.drain()));
  }

  close(reason: AnyplugError = new AnyplugError(Code.Unavailable, "this side closed the connection")): void {
    this.#end(reason);
    this.#peer.fail(reason);
  }

  #end(reason: AnyplugError): void {
    this.#ended ??= reason;
    for (const link of this.#links.values()) link.close(this.#ended);
  }

  #link(service: ServiceDescriptor): Link {
    const known = this.#links.get(service);
    if (known !== undefined) return known;
    const { name, version, hostName, limits, onLog } = this.#options;
    const router = new Router({ services: [forwarded(service, this.#peer)], grants: "all" });
    const host = { name: hostName, version: "", router: new Router(), limits };
    const link = connectDirect({ host, plugin: { name, version, router, limits }, onLog });
    this.#links.set(service, link);
    if (this.#ended !== undefined) link.close(this.#ended);
    else if (this.#isDraining) void link.drain();
    return link;
  }
}
