/** What a side serves: implementations by service and method. */

import { Code } from "./code.js";
import type { HandlerContext } from "./context.js";
import type { MethodDescriptor, ServiceDescriptor } from "./descriptor.js";
import { AnyplugError } from "./error.js";
import { originRefusal } from "./header.js";
import type { ServiceEntry, ServiceUse } from "./hello.js";
import { reflection } from "./reflection.js";
import { iterate } from "./stream.js";

/** A service and what answers its calls. */
export interface Implementation {
  readonly service: ServiceDescriptor;
  readonly handler: object;
}

/** Says that `handler` answers the calls of `service`. */
export function implement<Handler extends object>(
  service: ServiceDescriptor<unknown, Handler>,
  handler: NoInfer<Handler>,
): Implementation {
  return { service, handler };
}

/** How a router is made. */
export interface RouterOptions {
  readonly services?: readonly Implementation[] | undefined;
  /** The services of the peer that this side means to call. The peer checks their schemas; it learns them by reflection. */
  readonly uses?: readonly ServiceDescriptor[] | undefined;
  /** The capabilities that the peer has. Default: none. A plugin trusts its host with "all". */
  readonly grants?: readonly string[] | "all" | undefined;
  /** What handlers see as `context.config`. */
  readonly config?: unknown;
  /** Takes what a handler threw that is no AnyplugError, with its stack. The peer gets the message alone. Default: console.error. */
  readonly onError?: ((error: unknown, method: MethodDescriptor) => void) | undefined;
}

/** One method and what answers it. */
export interface Route {
  readonly method: MethodDescriptor;
  readonly handler: object;
  /** The function of the handler. */
  readonly call: (request: unknown, context: HandlerContext) => unknown;
  /** Why the peer may not call it: it lacks a capability, or there is no such function. */
  readonly refusal: AnyplugError | undefined;
  /** Turns what the handler threw into what the caller gets: its AnyplugError, or UNKNOWN with the message. The rest is reported here. */
  failure(error: unknown): AnyplugError;
}

/**
 * Checks whether a call may be handled at all.
 *
 * @throws AnyplugError FAILED_PRECONDITION when the call went through too many peers, PERMISSION_DENIED when the caller lacks a capability, UNIMPLEMENTED when there is no handler.
 */
export function admit({ refusal }: Route, { origin }: HandlerContext): void {
  const tooFar = originRefusal(origin);
  if (tooFar !== undefined) throw tooFar;
  if (refusal !== undefined) throw refusal;
}

/**
 * Reads the one request of a call whose requests are not streamed.
 *
 * @throws AnyplugError INTERNAL when there is none, or a second one.
 */
export async function onlyRequest(requests: AsyncIterator<unknown>): Promise<unknown> {
  const first = await requests.next();
  if (first.done === true) {
    throw new AnyplugError(Code.Internal, "the request ended without the one message that its kind promises");
  }
  const second = await requests.next();
  if (second.done === true) return first.value;
  throw new AnyplugError(Code.Internal, "the request has a second message where its kind promises one");
}

/**
 * Iterates the stream that a handler returned.
 *
 * @throws AnyplugError INTERNAL when it is none.
 */
export function responsesOf({ path }: MethodDescriptor, answer: unknown): AsyncIterator<unknown> | Iterator<unknown> {
  if (typeof answer === "object" && answer !== null && (Symbol.asyncIterator in answer || Symbol.iterator in answer)) {
    return iterate(answer as AsyncIterable<unknown> | Iterable<unknown>);
  }
  throw new AnyplugError(
    Code.Internal,
    `the handler of ${path} returned no stream; return an async iterable or write async *`,
  );
}

/** The services of one side, as one peer sees them. */
export class Router {
  /** In the order of the method table: first that of the reflection service. */
  readonly routes: readonly Route[];
  /** What the hello says. */
  readonly services: readonly ServiceEntry[];
  readonly uses: readonly ServiceUse[];
  /** The services of the peer that this side means to call. */
  readonly usedServices: readonly ServiceDescriptor[];
  readonly config: unknown;
  readonly #byService = new Map<string, readonly Route[]>();
  readonly #onError: (error: unknown, method: MethodDescriptor) => void;

  /** @throws AnyplugError INVALID_ARGUMENT when a service is implemented twice. */
  constructor(options: RouterOptions = {}) {
    const { services = [], uses = [], grants = [] } = options;
    const served = services.map(({ service }) => service);
    const implementations = [reflection(served, uses), ...services];
    const routes: Route[] = [];
    for (const { service, handler } of implementations) {
      if (this.#byService.has(service.name)) {
        throw new AnyplugError(
          Code.InvalidArgument,
          `service ${service.name} is implemented twice; give one implementation`,
        );
      }
      const own = service.methods.map((method) => this.#route(method, handler, grants));
      this.#byService.set(service.name, own);
      routes.push(...own);
    }
    this.routes = routes;
    this.services = implementations.map(({ service: { name, fingerprint, methods } }) => {
      return { name, fingerprint, methods: methods.map((method) => method.name) };
    });
    this.usedServices = uses;
    this.uses = uses.map(({ name, fingerprint }) => ({ name, fingerprint }));
    this.config = options.config;
    this.#onError = options.onError ?? reportError;
  }

  /** The routes of a service, in the order of its schema, or undefined when it is not served. */
  service(name: string): readonly Route[] | undefined {
    return this.#byService.get(name);
  }

  #route(method: MethodDescriptor, handler: object, grants: readonly string[] | "all"): Route {
    const call: unknown = Reflect.get(handler, method.localName);
    const isFunction = typeof call === "function";
    return {
      method,
      handler,
      call: isFunction ? (call as Route["call"]) : () => undefined,
      refusal: denied(method, grants) ?? (isFunction ? undefined : unimplemented(method)),
      failure: (error) => this.#failure(error, method),
    };
  }

  #failure(error: unknown, method: MethodDescriptor): AnyplugError {
    if (error instanceof AnyplugError) return error;
    try {
      this.#onError(error, method);
    } catch {
      // A failing report is no reason to leave the caller without an answer.
    }
    return AnyplugError.from(error);
  }
}

function unimplemented({ path, localName }: MethodDescriptor): AnyplugError {
  return new AnyplugError(Code.Unimplemented, `${path} is not implemented: the handler has no function "${localName}"`);
}

function denied(
  { path, requiredCapability }: MethodDescriptor,
  grants: readonly string[] | "all",
): AnyplugError | undefined {
  if (requiredCapability === "" || grants === "all" || grants.includes(requiredCapability)) return undefined;
  const how = `name it in "capabilities" of plugin.json, and grant it by the option "grants" where the plugin is loaded`;
  return new AnyplugError(
    Code.PermissionDenied,
    `${path} needs the capability "${requiredCapability}", which was not granted: ${how}`,
  );
}

function reportError(error: unknown, method: MethodDescriptor): void {
  console.error(`anyplug: the handler of ${method.path} failed:`, error);
}
