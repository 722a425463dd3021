/** ConformanceService: it answers as the request says. */

import { setTimeout as sleep } from "node:timers/promises";
import { AnyplugError, Code, type HandlerContext } from "@anyplug/sdk";
import { errorOf, headersOf, metadataOf, pack } from "./convert.js";
import {
  BidiStreamRequest,
  type BidiStreamResponse,
  ClientStreamRequest,
  type ClientStreamResponse,
  ConformancePayload_RequestInfo,
  type DeepPartial,
  type Header,
  IdempotentUnaryRequest,
  type IdempotentUnaryResponse,
  ServerStreamRequest,
  type ServerStreamResponse,
  type StreamResponseDefinition,
  UnaryRequest,
  type UnaryResponse,
  type UnaryResponseDefinition,
} from "./generated/connectrpc/conformance/v1/service.js";
import type { ConformanceHandler } from "./generated/connectrpc/conformance/v1/service_anyplug.js";

type Packed = ReturnType<typeof pack>;
type Payload = NonNullable<DeepPartial<UnaryResponse>["payload"]>;

/** Handles the calls of the suite. */
export class ConformanceService implements ConformanceHandler {
  async unary(request: UnaryRequest, context: HandlerContext): Promise<DeepPartial<UnaryResponse>> {
    const requests = [pack("UnaryRequest", UnaryRequest, request)];
    return { payload: await onePayload(request.responseDefinition, requests, context) };
  }

  async idempotentUnary(
    request: IdempotentUnaryRequest,
    context: HandlerContext,
  ): Promise<DeepPartial<IdempotentUnaryResponse>> {
    const requests = [pack("IdempotentUnaryRequest", IdempotentUnaryRequest, request)];
    return { payload: await onePayload(request.responseDefinition, requests, context) };
  }

  async clientStream(
    requests: AsyncIterable<ClientStreamRequest>,
    context: HandlerContext,
  ): Promise<DeepPartial<ClientStreamResponse>> {
    let definition: UnaryResponseDefinition | undefined;
    const all: Packed[] = [];
    for await (const request of requests) {
      if (all.length === 0) definition = request.responseDefinition;
      all.push(pack("ClientStreamRequest", ClientStreamRequest, request));
    }
    return { payload: await onePayload(definition, all, context) };
  }

  async *serverStream(
    request: ServerStreamRequest,
    context: HandlerContext,
  ): AsyncIterable<DeepPartial<ServerStreamResponse>> {
    const responses = new Responses(request.responseDefinition, context);
    const requests = [pack("ServerStreamRequest", ServerStreamRequest, request)];
    while (responses.left) yield { payload: await responses.next(requests) };
    responses.end(requests);
  }

  async *bidiStream(
    requests: AsyncIterable<BidiStreamRequest>,
    context: HandlerContext,
  ): AsyncIterable<DeepPartial<BidiStreamResponse>> {
    let responses: Responses | undefined;
    let isFullDuplex = false;
    let unanswered: Packed[] = [];
    for await (const request of requests) {
      if (responses === undefined) {
        responses = new Responses(request.responseDefinition, context);
        isFullDuplex = request.fullDuplex;
      }
      unanswered.push(pack("BidiStreamRequest", BidiStreamRequest, request));
      if (!isFullDuplex) continue;
      if (!responses.left) break;
      yield { payload: await responses.next(unanswered, { always: true }) };
      unanswered = [];
    }
    while (responses?.left) yield { payload: await responses.next(unanswered) };
    responses?.end(unanswered);
  }

  unimplemented(): never {
    throw new AnyplugError(Code.Unimplemented, "the suite has a method that nobody implements");
  }
}

/** The responses of a stream, as its first request defines them. */
class Responses {
  readonly #definition: StreamResponseDefinition | undefined;
  readonly #context: HandlerContext;
  readonly #seen: Seen;
  #sent = 0;

  constructor(definition: StreamResponseDefinition | undefined, context: HandlerContext) {
    this.#definition = definition;
    this.#context = context;
    this.#seen = seen(context);
    addMetadata(definition, context);
  }

  get left(): boolean {
    return this.#sent < (this.#definition?.responseData.length ?? 0);
  }

  /** The first says what was seen of the call; with `always` the others say which requests they answer. */
  async next(requests: Packed[], { always = false } = {}): Promise<Payload> {
    await sleep(this.#definition?.responseDelayMs, undefined, { signal: this.#context.signal });
    const data = this.#definition?.responseData[this.#sent];
    this.#sent += 1;
    if (this.#sent === 1) return { data, requestInfo: { ...this.#seen, requests } };
    return always ? { data, requestInfo: { requests } } : { data };
  }

  /** @throws AnyplugError when the definition has an error. */
  end(requests: Packed[]): void {
    const error = this.#definition?.error;
    if (error === undefined) return;
    throw this.#sent === 0 ? errorOf(error, packInfo(this.#seen, requests)) : errorOf(error);
  }
}

async function onePayload(
  definition: UnaryResponseDefinition | undefined,
  requests: Packed[],
  context: HandlerContext,
): Promise<Payload> {
  const requestInfo = { ...seen(context), requests };
  addMetadata(definition, context);
  await sleep(definition?.responseDelayMs ?? 0, undefined, { signal: context.signal });
  const response = definition?.response;
  if (response?.$case === "error") throw errorOf(response.error, packInfo(requestInfo, requests));
  return { data: response?.responseData, requestInfo };
}

interface Seen {
  readonly requestHeaders: Header[];
  readonly timeoutMs: bigint | undefined;
}

function seen({ metadata, remainingMs }: HandlerContext): Seen {
  const timeoutMs = remainingMs === undefined ? undefined : BigInt(Math.ceil(remainingMs));
  return { requestHeaders: headersOf(metadata), timeoutMs };
}

function packInfo(info: Seen, requests: Packed[]): Packed {
  const message = ConformancePayload_RequestInfo.fromPartial({ ...info, requests });
  return pack("ConformancePayload.RequestInfo", ConformancePayload_RequestInfo, message);
}

function addMetadata(
  definition: { responseHeaders: Header[]; responseTrailers: Header[] } | undefined,
  context: HandlerContext,
): void {
  for (const pair of metadataOf(definition?.responseHeaders ?? [])) context.appendHeader(...pair);
  for (const pair of metadataOf(definition?.responseTrailers ?? [])) context.appendTrailer(...pair);
}
