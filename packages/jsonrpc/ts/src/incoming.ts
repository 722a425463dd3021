/** Calls that the peer makes of this side. */

import {
  AnyplugError,
  type CallOptions,
  Code,
  MessageQueue,
  type MethodDescriptor,
  type ServiceDescriptor,
  type Transport,
} from "@anyplug/core";
import { type Json, JsonNumber, JsonObject } from "@anyplug/json";
import { failureText, invalidRequest } from "./error.js";
import { idText, isArray, type Message, member, requestText, resultText } from "./message.js";
import { onlyParam, ServiceTypes } from "./types.js";

/** What the peer may call. */
export interface Served {
  readonly name: string;
  readonly version: string;
  readonly services: readonly ServiceDescriptor[];
  /** Carries the calls. */
  readonly transport: Transport;
}

/** Where messages are written to. */
export interface IncomingOptions {
  readonly write: (text: string) => void;
  /** Resolves when the peer reads on. */
  readonly room: () => Promise<void>;
  readonly maxPending: number;
  readonly maxBufferBytes: number;
}

type Request = Extract<Message, { kind: "request" }>;

/** A call that is handled. */
interface Call {
  readonly abort: AbortController;
  /** What the peer streams. */
  readonly requests: MessageQueue<Json>;
  buffered: number;
}

interface Found {
  readonly method: MethodDescriptor;
  readonly types: ServiceTypes;
}

/** The calls that are handled. */
export class Incoming {
  readonly #served: Served;
  readonly #options: IncomingOptions;
  readonly #methods = new Map<string, Found>();
  readonly #calls = new Map<string, Call>();
  #notifications = 0;

  constructor(served: Served, options: IncomingOptions) {
    this.#served = served;
    this.#options = options;
    for (const service of served.services) {
      const types = new ServiceTypes(service);
      for (const method of service.methods) this.#methods.set(method.path, { method, types });
    }
  }

  /** Handles a request, and returns what answers it; undefined for a notification. Never rejects. */
  async request({ id, method, params, meta }: Request, bytes: number): Promise<string | undefined> {
    if (id === undefined && method.startsWith("$/")) {
      this.#noted(method, params, bytes);
      return undefined;
    }
    try {
      const result = method === "rpc.discover" ? this.#described() : await this.#handled(id, method, params, meta);
      return id === undefined ? undefined : resultText(id, result);
    } catch (error) {
      return id === undefined
        ? undefined
        : failureText(id, AnyplugError.from(error), error instanceof Twice ? invalidRequest : undefined);
    }
  }

  /** Cancels all calls. */
  end(reason: AnyplugError): void {
    for (const { abort, requests } of this.#calls.values()) {
      abort.abort(reason);
      requests.fail(reason);
    }
  }

  #noted(method: string, params: Json, bytes: number): void {
    const id = idText(member(params, "id"));
    const call = id === undefined ? undefined : this.#calls.get(id);
    if (call === undefined) return;
    const cancelled = (code: Code, why: string) => {
      const reason = new AnyplugError(code, why);
      call.abort.abort(reason);
      call.requests.fail(reason);
    };
    if (method === "$/cancel" || method === "$/cancelRequest")
      cancelled(Code.Cancelled, "the caller cancelled the call");
    else if (method === "$/end") call.requests.finish();
    else if (method === "$/message") {
      call.buffered += bytes;
      if (call.buffered <= this.#options.maxBufferBytes) call.requests.push(member(params, "value"), bytes);
      else
        cancelled(
          Code.ResourceExhausted,
          `${call.buffered} bytes of requests wait to be read, over the limit of ${this.#options.maxBufferBytes}`,
        );
    }
  }

  async #handled(id: string | undefined, path: string, params: Json, meta: Json): Promise<string> {
    const found = this.#methods.get(path);
    if (found === undefined) throw this.#unknown(path);
    if (id === undefined) this.#notifications += 1;
    const key = id ?? `notification ${this.#notifications}`;
    if (this.#calls.has(key)) throw new Twice(Code.InvalidArgument, `id ${id} is that of a call that has not ended`);
    if (this.#calls.size >= this.#options.maxPending) {
      const most = `${this.#options.maxPending} requests are pending; wait for some`;
      throw new AnyplugError(Code.ResourceExhausted, most);
    }
    const call: Call = {
      abort: new AbortController(),
      requests: new MessageQueue<Json>({ taken: (bytes) => (call.buffered -= bytes), abandoned() {} }),
      buffered: 0,
    };
    this.#calls.set(key, call);
    try {
      return await this.#call(found, call, id, params, { ...optionsOf(meta), signal: call.abort.signal });
    } finally {
      this.#calls.delete(key);
      call.requests.finish();
    }
  }

  async #call(
    { method, types }: Found,
    call: Call,
    id: string | undefined,
    params: Json,
    options: CallOptions,
  ): Promise<string> {
    const { transport } = this.#served;
    if (method.kind === "unary") {
      const request = types.request(method, onlyParam(params)) as object;
      return types.responseText(method, await transport.unary(method, request, options));
    }
    const requests = this.#requests(method, types, call, params);
    const responses = transport.stream(method, requests, options);
    let only: string | undefined;
    for await (const response of responses) {
      const text = types.responseText(method, response);
      if (method.kind === "client_stream") only = text;
      else if (id !== undefined) {
        this.#options.write(requestText(undefined, "$/message", `{"id":${id},"value":${text}}`));
        await this.#options.room();
      }
    }
    return only ?? "null";
  }

  #requests(
    method: MethodDescriptor,
    types: ServiceTypes,
    call: Call,
    params: Json,
  ): Iterable<object> | AsyncIterable<object> {
    const read = (json: Json) => types.request(method, json) as object;
    if (method.kind === "server_stream") return [read(onlyParam(params))];
    // All of them at once, for callers that have no more.
    if (isArray(params)) return params.map(read);
    if (params !== null) {
      const how = `${method.path} takes a stream: give all requests as an array in params, or none and send each by $/message`;
      throw new AnyplugError(Code.InvalidArgument, `params: ${how}`);
    }
    return converted(call.requests, read);
  }

  #unknown(path: string): AnyplugError {
    const [service = ""] = path.split("/");
    const { services, name } = this.#served;
    const found = services.find((one) => one.name === service);
    if (found !== undefined) {
      const methods = found.methods.map((method) => method.name).join(", ");
      return new AnyplugError(Code.Unimplemented, `"${name}" has no method ${path}; it has ${methods}`);
    }
    const offered = services.map((one) => one.name).join(", ") || "nothing";
    return new AnyplugError(Code.Unimplemented, `"${name}" does not serve ${path}; it serves ${offered}`);
  }

  #described(): string {
    const { name, version, services } = this.#served;
    const methods = [...this.#methods.values()].map(({ method, types }) => ({
      service: method.service.name,
      name: method.path,
      kind: method.kind,
      ...types.names(method),
    }));
    const described = services.map((service) => ({
      name: service.name,
      methods: methods.filter((method) => method.service === service.name).map(({ service: _, ...method }) => method),
    }));
    return JSON.stringify({ name, version, services: described });
  }
}

/** The peer used an id again. */
class Twice extends AnyplugError {}

async function* converted(requests: AsyncIterable<Json>, read: (json: Json) => object): AsyncGenerator<object> {
  for await (const request of requests) yield read(request);
}

/** What the peer said of a call beside its parameters. */
function optionsOf(meta: Json): CallOptions {
  const timeout = member(meta, "timeoutMs");
  const metadata = member(meta, "metadata");
  return {
    timeoutMs: timeout instanceof JsonNumber ? Number(timeout.text) : undefined,
    metadata:
      metadata instanceof JsonObject
        ? metadata.members.map(([key, value]) => [key, typeof value === "string" ? value : ""] as const)
        : undefined,
  };
}
