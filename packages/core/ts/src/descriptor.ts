/** What generated code says of a service. */

import type { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";

/** Which sides of a method stream. */
export type MethodKind = "unary" | "server_stream" | "client_stream" | "bidi_stream";

/** The codec of one message type: the shape of the constant that is generated for it. */
export interface MessageCodec<T> {
  /** Writes the message to `writer`, or to a new one. */
  encode(message: T, writer?: BinaryWriter): BinaryWriter;
  /** Reads a message of `length` bytes, or of all that is left. */
  decode(input: BinaryReader | Uint8Array, length?: number): T;
  /** Returns a complete message: a copy of `object`, absent members set to their defaults. */
  fromPartial(object: object): T;
}

/** What a schema says of a method. */
export interface MethodDefinition<I = unknown, O = unknown> {
  /** As in the schema: "Reply". */
  readonly name: string;
  /** The name of the function in clients and handlers: "reply". */
  readonly localName: string;
  readonly kind: MethodKind;
  readonly input: MessageCodec<I>;
  readonly output: MessageCodec<O>;
  /** Calling twice has the effect of calling once. */
  readonly idempotent: boolean;
  /** Milliseconds that a call may take when the caller gives no timeout; 0: no limit. */
  readonly defaultTimeoutMs: number;
  /** The capability that a caller must have been granted; empty: none. */
  readonly requiredCapability: string;
}

/** A method of a service. */
export interface MethodDescriptor<I = unknown, O = unknown> extends MethodDefinition<I, O> {
  readonly service: ServiceDescriptor;
  /** The position in its service. */
  readonly index: number;
  /** "package.Service/Method", for messages. */
  readonly path: string;
}

/** What a schema says of a service. */
export interface ServiceDefinition {
  /** The full name: "eliza_classic.v1.ElizaService". */
  readonly name: string;
  /** 32 hex digits that protoc-gen-anyplug computed; empty for a service of the protocol itself. */
  readonly fingerprint: string;
  /** A `google.protobuf.FileDescriptorSet` in base64, decoded when it is first asked for. */
  readonly descriptorSet: string;
  readonly methods: readonly MethodDefinition[];
}

/** A service. `Client` and `Handler` are the generated interfaces of its two sides. */
export interface ServiceDescriptor<Client = unknown, Handler = unknown> {
  readonly name: string;
  readonly fingerprint: string;
  readonly methods: readonly MethodDescriptor[];
  /** The `google.protobuf.FileDescriptorSet` in bytes: the files that the service reaches, in order of their imports. */
  descriptorSet(): Uint8Array;
  /** Never there: it carries the types of client and handler. */
  readonly types?: { readonly client: Client; readonly handler: Handler };
}

/** The client of a service, by its descriptor: `ClientOf<typeof Eliza>` is `ElizaClient`. */
export type ClientOf<S> = S extends ServiceDescriptor<infer Client, infer _Handler> ? Client : never;

/** The handler of a service, by its descriptor: `HandlerOf<typeof Eliza>` is `ElizaHandler`. */
export type HandlerOf<S> = S extends ServiceDescriptor<infer _Client, infer Handler> ? Handler : never;

/** Makes a service descriptor. Generated code calls it, once for each service. */
export function defineService<Client, Handler>(definition: ServiceDefinition): ServiceDescriptor<Client, Handler> {
  let decoded: Uint8Array | undefined;
  const methods: MethodDescriptor[] = [];
  const service: ServiceDescriptor<Client, Handler> = {
    name: definition.name,
    fingerprint: definition.fingerprint,
    methods,
    descriptorSet() {
      decoded ??= Uint8Array.from(atob(definition.descriptorSet), (character) => character.charCodeAt(0));
      return decoded;
    },
  };
  for (const method of definition.methods) {
    methods.push({ ...method, service, index: methods.length, path: `${definition.name}/${method.name}` });
  }
  return service;
}
