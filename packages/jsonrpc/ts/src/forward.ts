/** A service whose calls a peer answers. */

import {
  AnyplugError,
  type HandlerContext,
  type Implementation,
  type MethodDescriptor,
  type ServiceDescriptor,
} from "@anyplug/core";
import { metaText } from "./outgoing.js";
import type { JsonRpcPeer } from "./peer.js";
import { paramsOf, ServiceTypes } from "./types.js";

type Handler = (request: never, context: HandlerContext) => unknown;

/** Returns `service`, each call of which is made of `peer`. */
export function forwarded(service: ServiceDescriptor, peer: JsonRpcPeer): Implementation {
  const types = new ServiceTypes(service);
  const handler: Record<string, Handler> = {};
  for (const method of service.methods) handler[method.localName] = handlerOf(method, types, peer);
  return { service, handler };
}

function handlerOf(method: MethodDescriptor, types: ServiceTypes, peer: JsonRpcPeer): Handler {
  const { path } = method;
  const params = (request: object) => paramsOf(types.requestText(method, request));
  switch (method.kind) {
    case "unary":
      return async (request: object, { metadata, signal }: HandlerContext) =>
        types.response(method, await peer.calls.call(path, params(request), metaText(metadata), signal));
    case "server_stream":
      return async function* (request: object, { metadata, signal }: HandlerContext) {
        const answers = peer.calls.stream(path, params(request), metaText(metadata), signal);
        for await (const answer of answers) yield types.response(method, answer);
      };
    case "client_stream":
      return async (requests: AsyncIterable<object>, { metadata, signal }: HandlerContext) => {
        const send = (id: string) => void sendAll(id, requests, method, types, peer);
        return types.response(method, await peer.calls.call(path, "", metaText(metadata), signal, send));
      };
    case "bidi_stream":
      return async function* (requests: AsyncIterable<object>, { metadata, signal }: HandlerContext) {
        const send = (id: string) => void sendAll(id, requests, method, types, peer);
        const answers = peer.calls.stream(path, "", metaText(metadata), signal, send);
        for await (const answer of answers) yield types.response(method, answer);
      };
  }
}

/** Sends the requests of a call as they come, and as fast as the peer reads. */
async function sendAll(
  id: string,
  requests: AsyncIterable<object>,
  method: MethodDescriptor,
  types: ServiceTypes,
  peer: JsonRpcPeer,
): Promise<void> {
  try {
    for await (const request of requests) {
      if (!peer.calls.has(id)) return;
      peer.calls.send(id, types.requestText(method, request));
      await peer.room();
    }
    peer.calls.send(id, undefined);
  } catch (error) {
    peer.calls.cancel(id, AnyplugError.from(error));
  }
}
