/** The messages of a method as JSON. */

import { AnyplugError, Code, type MethodDescriptor, type ServiceDescriptor } from "@anyplug/core";
import { type Json, JsonObject, JsonTypes, parseJson } from "@anyplug/json";
import { isArray } from "./message.js";

/** Turns the messages of a service into JSON and back. */
export class ServiceTypes {
  readonly #service: ServiceDescriptor;
  readonly #types: JsonTypes;

  constructor(service: ServiceDescriptor) {
    this.#service = service;
    this.#types = new JsonTypes([service]);
  }

  /** @throws AnyplugError INVALID_ARGUMENT when it is no request of this method. */
  request<I>(method: MethodDescriptor<I>, json: Json): I {
    return method.input.decode(this.#types.valueToBytes(this.#of(method).input, json ?? noMembers));
  }

  requestText<I>(method: MethodDescriptor<I>, request: I): string {
    return this.#types.bytesToJson(this.#of(method).input, method.input.encode(request).finish());
  }

  /** @throws AnyplugError INTERNAL when it is no response of this method: the peer is at fault. */
  response<O>(method: MethodDescriptor<unknown, O>, json: Json): O {
    try {
      return method.output.decode(this.#types.valueToBytes(this.#of(method).output, json ?? noMembers));
    } catch (error) {
      const message = `the answer of ${method.path} cannot be used: ${AnyplugError.from(error).message}`;
      throw new AnyplugError(Code.Internal, message, { cause: error });
    }
  }

  responseText<O>(method: MethodDescriptor<unknown, O>, response: O): string {
    return this.#types.bytesToJson(this.#of(method).output, method.output.encode(response).finish());
  }

  /** The types of a method by their full names. */
  names(method: MethodDescriptor): { readonly input: string; readonly output: string } {
    return this.#of(method);
  }

  #of({ name, path }: MethodDescriptor): { readonly input: string; readonly output: string } {
    const found = this.#types.methodTypes(this.#service.name, name);
    if (found !== undefined) return found;
    throw new AnyplugError(Code.Internal, `${path} is not in the descriptors of its service`);
  }
}

const noMembers = new JsonObject([]);

/** Returns a request as `params` have it: an object as it is, anything else as the one parameter by its position. */
export function paramsOf(request: string): string {
  return request.startsWith("{") ? request : `[${request}]`;
}

/**
 * Returns the one request that `params` mean.
 *
 * @throws AnyplugError INVALID_ARGUMENT for more than one.
 */
export function onlyParam(params: Json): Json {
  if (!isArray(params)) return params;
  if (params.length <= 1) return params[0] ?? null;
  throw new AnyplugError(Code.InvalidArgument, `params: expected the request, got ${params.length} by their positions`);
}

/** Returns a text as JSON; undefined when it is none. */
export function parsed(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
