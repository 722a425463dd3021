/** Typed clients, made at run time from the descriptor. */

import type { MethodDescriptor, ServiceDescriptor } from "./descriptor.js";
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

/** The one message of a client stream. The transport sees to it that there is one and no second. */
async function only(messages: AsyncIterableIterator<unknown>): Promise<unknown> {
  const { value } = await messages.next();
  await messages.next();
  return value;
}
