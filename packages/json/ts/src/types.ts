/** A set of message types, and their JSON. */

import { AnyplugError, Code, type MessageCodec, type ServiceDescriptor } from "@anyplug/core";
import type { DescMessage, Registry } from "@bufbuild/protobuf";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { Path } from "./fault.js";
import type { JsonReadOptions, JsonWriteOptions } from "./options.js";
import type { ReadContext } from "./read/context.js";
import { readMessage } from "./read/message.js";
import { registryOf } from "./registry.js";
import type { Json } from "./text/json.js";
import { parseJson } from "./text/parse.js";
import type { WriteContext } from "./write/context.js";
import { messageText } from "./write/message.js";

/** Where types come from: a generated service, or a `google.protobuf.FileDescriptorSet` in bytes. */
export type JsonSource = Pick<ServiceDescriptor, "descriptorSet"> | Uint8Array;

/** The constant beside the interface of a generated message: its codec and its full name. */
export interface JsonMessage<T> extends MessageCodec<T> {
  /** "eliza_classic.v1.ReplyRequest". */
  readonly $type: string;
}

/**
 * A set of message types: those of its sources, all that they reach, and the well-known types. It is what `google.protobuf.Any` is resolved by.
 *
 * Descriptors are read when the set is first used; make a set once and keep it.
 */
export class JsonTypes {
  readonly #sources: readonly JsonSource[];
  #registry: Registry | undefined;

  /** Makes a set. What is wrong with a source is told by the first use. */
  constructor(sources: readonly JsonSource[]) {
    this.#sources = [...sources];
  }

  /** Whether there is a message type of this full name. */
  has(typeName: string): boolean {
    return this.#types().getMessage(typeName) !== undefined;
  }

  /**
   * Returns the JSON of a message.
   *
   * @throws AnyplugError with INVALID_ARGUMENT when it has none, NOT_FOUND when its type is not in the set.
   */
  toJson<T>(message: JsonMessage<T>, value: T, options?: JsonWriteOptions): string {
    return this.bytesToJson(message.$type, encoded(message, value), options);
  }

  /**
   * Returns the message that a JSON text means.
   *
   * @throws AnyplugError with INVALID_ARGUMENT when it means none, NOT_FOUND when the type is not in the set.
   */
  fromJson<T>(message: JsonMessage<T>, json: string, options?: JsonReadOptions): T {
    return message.decode(this.jsonToBytes(message.$type, json, options));
  }

  /**
   * Returns the JSON of a message that is given by its type's full name and its bytes.
   *
   * @throws AnyplugError as `toJson`.
   */
  bytesToJson(typeName: string, bytes: Uint8Array, options: JsonWriteOptions = {}): string {
    const type = this.#find(typeName);
    const context: WriteContext = {
      registry: this.#types(),
      path: new Path(typeName),
      protoFieldNames: options.protoFieldNames ?? false,
      printDefaults: options.printDefaults ?? false,
      enumsAsIntegers: options.enumsAsIntegers ?? false,
    };
    return messageText(type, bytes, context, 0);
  }

  /**
   * Returns the bytes of the message that a JSON text means.
   *
   * @throws AnyplugError as `fromJson`.
   */
  jsonToBytes(typeName: string, json: string, options: JsonReadOptions = {}): Uint8Array {
    return this.valueToBytes(typeName, parseJson(json), options);
  }

  /**
   * Returns the bytes of the message that a value of JSON means.
   *
   * @throws AnyplugError as `fromJson`.
   */
  valueToBytes(typeName: string, json: Json, options: JsonReadOptions = {}): Uint8Array {
    const type = this.#find(typeName);
    const context: ReadContext = {
      registry: this.#types(),
      path: new Path(typeName),
      ignoreUnknownMembers: options.ignoreUnknownMembers ?? false,
      writer: new BinaryWriter(),
    };
    readMessage(type, json, context, 0);
    return context.writer.finish();
  }

  /** Returns the full names of the types that a method takes and gives; undefined when there is no such service or method. */
  methodTypes(service: string, method: string): { readonly input: string; readonly output: string } | undefined {
    const found = this.#types()
      .getService(service)
      ?.methods.find(({ name }) => name === method);
    return found && { input: found.input.typeName, output: found.output.typeName };
  }

  #find(typeName: string): DescMessage {
    const type = this.#types().getMessage(typeName);
    if (type !== undefined) return type;
    throw new AnyplugError(
      Code.NotFound,
      `${typeName} is not among the types: give JsonTypes a descriptor set with it`,
    );
  }

  #types(): Registry {
    this.#registry ??= registryOf(
      this.#sources.map((source) => (source instanceof Uint8Array ? source : source.descriptorSet())),
    );
    return this.#registry;
  }
}

function encoded<T>(message: JsonMessage<T>, value: T): Uint8Array {
  try {
    return message.encode(value).finish();
  } catch (error) {
    throw AnyplugError.from(error, Code.InvalidArgument);
  }
}
