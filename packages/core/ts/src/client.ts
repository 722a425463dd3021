/** Typed clients, made at run time from the descriptor. */

import { Code } from "./code.js";
import type { MethodDescriptor, ServiceDescriptor } from "./descriptor.js";
import { AnyplugError } from "./error.js";
import type { CallOptions, Transport } from "./transport.js";

/** Returns a client of `service` whose calls go over `transport`. It has no state of its own and costs nothing to keep. */
export function createClient<Client>(service: ServiceDescriptor<Client, unknown>, transport: Transport): Client {
  const client: Record<string, unknown> = {};
  for (const method of service.methods) client[method.localName] = methodFunction(method, transport);
  return client as Client;
}

function methodFunction(method: MethodDescriptor, transport: Transport): unknown {
  switch (method.kind) {
    case "unary":
      return (request: object, options?: CallOptions) => transport.unary(method, request, options);
    case "server_stream":
      return (request: object, options?: CallOptions) => transport.stream(method, [request], options);
    case "client_stream":
      return (requests: AsyncIterable<object> | Iterable<object>, options?: CallOptions) =>
        only(transport.stream(method, requests, options));
    case "bidi_stream":
      return (requests: AsyncIterable<object> | Iterable<object>, options?: CallOptions) =>
        transport.stream(method, requests, options);
  }
}

/** A client whose unary methods return their response. The other methods are not there. */
export type SyncClientOf<Client> = {
  [Method in keyof Client as IsUnary<Client[Method]> extends true ? Method : never]: Synchronous<Client[Method]>;
};

type IsUnary<F> = F extends (request: infer Request, options?: CallOptions) => Promise<unknown>
  ? [Request] extends [AsyncIterable<unknown> | Iterable<unknown>]
    ? false
    : true
  : false;

type Synchronous<F> = F extends (request: infer Request, options?: CallOptions) => Promise<infer Response>
  ? (request: Request, options?: CallOptions) => Response
  : never;

/** Carries unary calls whose response is returned. */
export interface SyncTransport {
  /** @throws AnyplugError with the status of the call; FAILED_PRECONDITION when it cannot be answered at once. */
  unarySync?<I, O>(method: MethodDescriptor<I, O>, request: object, options?: CallOptions): O;
}

/** Returns a client of `service` whose unary methods return their response. Where `transport` cannot do that, they throw FAILED_PRECONDITION. */
export function createSyncClient<Client>(
  service: ServiceDescriptor<Client, unknown>,
  transport: SyncTransport,
): SyncClientOf<Client> {
  const client: Record<string, unknown> = {};
  for (const method of service.methods) {
    if (method.kind !== "unary") continue;
    client[method.localName] = (request: object, options?: CallOptions) => {
      if (transport.unarySync === undefined) throw notSynchronous();
      return transport.unarySync(method, request, options);
    };
  }
  return client as SyncClientOf<Client>;
}

/** What a synchronous call ends with where the peer is somewhere else. */
export function notSynchronous(): AnyplugError {
  const message = `this plugin cannot be called synchronously; load it over transport "wasm", or call it by a client and await the answer`;
  return new AnyplugError(Code.FailedPrecondition, message);
}

/** The one message of a client stream. The transport sees to it that there is one and no second. */
async function only(messages: AsyncIterableIterator<unknown>): Promise<unknown> {
  const { value } = await messages.next();
  await messages.next();
  return value;
}
