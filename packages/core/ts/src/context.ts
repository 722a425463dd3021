/** What a handler sees of the call that it answers. */

import type { MethodDescriptor, ServiceDescriptor } from "./descriptor.js";
import type { AnyplugError } from "./error.js";
import type { Metadata } from "./header.js";
import type { LogFields, LogLevel } from "./log.js";
import type { PeerInfo } from "./transport.js";

/** The second argument of every handler. */
export interface HandlerContext {
  readonly method: MethodDescriptor;
  /** Who calls. */
  readonly peer: PeerInfo;
  /** The metadata that came with the request. */
  readonly metadata: Metadata;
  /** Aborted when the call is cancelled, when its time is over and when the connection ends. The reason is an AnyplugError. */
  readonly signal: AbortSignal;
  /** Why the call was cancelled, or undefined. */
  readonly cancelled: AnyplugError | undefined;
  /** Milliseconds that remain to the call, or undefined when it has no deadline. */
  readonly remainingMs: number | undefined;
  /** The names of those whose calls led to this one, the first cause first. */
  readonly origin: readonly string[];
  /** W3C trace context; empty when the caller sent none. */
  readonly traceparent: string;
  readonly tracestate: string;
  /** The configuration that the router was made with. */
  readonly config: unknown;
  /** Adds metadata that is sent before the first message of the answer. */
  setHeader(key: string, value: string): void;
  /** Adds metadata that is sent at the end. */
  setTrailer(key: string, value: string): void;
  /** Returns a client for a service of the caller. Its calls have the deadline of this call at most, are cancelled with it, and carry its origin and trace context. */
  client<Client>(service: ServiceDescriptor<Client, unknown>): Client;
  /** Sends a record to the log of the caller's side. */
  log(level: LogLevel, message: string, fields?: LogFields): void;
}
