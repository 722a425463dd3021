/** Makes one call as the runner asks for it. */

import { setTimeout as sleep } from "node:timers/promises";
import { AnyplugError, type CallOptions, Code, type Metadata } from "@anyplug/sdk";
import { headersOf, metadataOf, reportOf } from "./convert.js";
import {
  type ClientCompatRequest,
  type ClientCompatRequest_Cancel,
  ClientResponseResult,
} from "./generated/connectrpc/conformance/v1/client_compat.js";
import { StreamType } from "./generated/connectrpc/conformance/v1/config.js";
import {
  BidiStreamRequest,
  ClientStreamRequest,
  type ConformancePayload,
  IdempotentUnaryRequest,
  ServerStreamRequest,
  UnaryRequest,
  UnimplementedRequest,
} from "./generated/connectrpc/conformance/v1/service.js";
import type { ConformanceClient } from "./generated/connectrpc/conformance/v1/service_anyplug.js";

type Timing = ClientCompatRequest_Cancel["cancelTiming"];

/** Returns how the call ended. Throws when it is none that this client can make. */
export async function makeCall(client: ConformanceClient, request: ClientCompatRequest): Promise<ClientResponseResult> {
  const call = new Call(request);
  try {
    await call.make(client);
  } catch (error) {
    call.failed(error);
  }
  return call.result();
}

class Call {
  readonly #request: ClientCompatRequest;
  readonly #messages: Uint8Array[];
  readonly #cancel = new AbortController();
  readonly #timing: Timing;
  readonly #payloads: ConformancePayload[] = [];
  #header: Metadata = [];
  #trailer: Metadata = [];
  #error: ReturnType<typeof reportOf> | undefined;
  #sent = 0;
  /** Lets a request of a full-duplex stream go when the one before it was answered. */
  #answered: (() => void) | undefined;

  constructor(request: ClientCompatRequest) {
    this.#request = request;
    this.#messages = request.requestMessages.map(({ value }) => value);
    this.#timing =
      request.cancel && (request.cancel.cancelTiming ?? { $case: "afterCloseSendMs", afterCloseSendMs: 0 });
  }

  async make(client: ConformanceClient): Promise<void> {
    const [first = new Uint8Array()] = this.#messages;
    const options = this.#options();
    switch (this.#request.method) {
      case "Unary":
        return this.#take(await client.unary(await this.#only(UnaryRequest.decode(first)), options));
      case "IdempotentUnary":
        return this.#take(
          await client.idempotentUnary(await this.#only(IdempotentUnaryRequest.decode(first)), options),
        );
      case "Unimplemented":
        await client.unimplemented(await this.#only(UnimplementedRequest.decode(first)), options);
        return;
      case "ServerStream":
        return this.#read(client.serverStream(await this.#only(ServerStreamRequest.decode(first)), options));
      case "ClientStream":
        return this.#take(await client.clientStream(this.#requests(ClientStreamRequest.decode), options));
      case "BidiStream":
        return this.#read(client.bidiStream(this.#requests(BidiStreamRequest.decode), options));
      default:
        throw new AnyplugError(Code.Unimplemented, `there is no method ${this.#request.method}`);
    }
  }

  failed(error: unknown): void {
    this.#error = reportOf(error);
  }

  result(): ClientResponseResult {
    return ClientResponseResult.fromPartial({
      responseHeaders: headersOf(this.#header),
      payloads: this.#payloads,
      error: this.#error,
      responseTrailers: headersOf(this.#trailer),
      numUnsentRequests: this.#messages.length - this.#sent,
    });
  }

  #options(): CallOptions {
    return {
      timeoutMs: this.#request.timeoutMs,
      signal: this.#cancel.signal,
      metadata: metadataOf(this.#request.requestHeaders),
      onHeader: (metadata) => {
        this.#header = metadata;
      },
      onTrailer: (metadata) => {
        this.#trailer = metadata;
      },
    };
  }

  /** The one request of a call, which closes its direction. */
  async #only<T>(request: T): Promise<T> {
    await sleep(this.#request.requestDelayMs);
    this.#sent = 1;
    this.#closed();
    return request;
  }

  async *#requests<T>(decode: (message: Uint8Array) => T): AsyncGenerator<T> {
    for (const message of this.#messages) {
      await sleep(this.#request.requestDelayMs);
      const answered = new Promise<void>((resolve) => {
        this.#answered = resolve;
      });
      yield decode(message);
      this.#sent += 1;
      if (this.#request.streamType === StreamType.STREAM_TYPE_FULL_DUPLEX_BIDI_STREAM) await answered;
    }
    if (this.#timing?.$case === "beforeCloseSend") this.#cancel.abort();
    else this.#closed();
  }

  #closed(): void {
    if (this.#timing?.$case === "afterCloseSendMs")
      setTimeout(() => this.#cancel.abort(), this.#timing.afterCloseSendMs);
  }

  async #read(responses: AsyncIterable<{ payload: ConformancePayload | undefined }>): Promise<void> {
    try {
      for await (const response of responses) {
        this.#take(response);
        const { length } = this.#payloads;
        if (this.#timing?.$case === "afterNumResponses" && length === this.#timing.afterNumResponses)
          this.#cancel.abort();
        this.#answered?.();
      }
    } finally {
      this.#answered?.();
    }
  }

  #take({ payload }: { payload: ConformancePayload | undefined }): void {
    if (payload !== undefined) this.#payloads.push(payload);
  }
}
