/** Codes and errors, frame codec, sans-I/O session, Transport, client and router of anyplug. */

export type { Answer, Channel, ChannelReceiver } from "./channel.js";
export { createClient, createSyncClient, type SyncClientOf, type SyncTransport } from "./client.js";
export { Code, type CodeName, codeFromName, codeFromNumber, codeName } from "./code.js";
export type { ServedNow } from "./connection/served.js";
export { Connection, type ConnectionOptions } from "./connection.js";
export { CallContext, type HandlerContext, type Surroundings } from "./context.js";
export type {
  ClientOf,
  HandlerOf,
  MessageCodec,
  MethodDefinition,
  MethodDescriptor,
  MethodKind,
  ServiceDefinition,
  ServiceDescriptor,
} from "./descriptor.js";
export { defineService } from "./descriptor.js";
export { AnyplugError, type AnyplugErrorOptions, type Detail } from "./error.js";
export type { Metadata } from "./header.js";
export type { Hello, ServiceEntry, ServiceUse } from "./hello.js";
export { defaultLimits, type LimitOptions, type Limits } from "./limits.js";
export type { LogFields, LogLevel, LogRecord } from "./log.js";
export { checkCompatible, compareSchemas, type Difference, type Rule } from "./negotiation.js";
export { MessageQueue, type QueueOwner } from "./queue.js";
export { type Implementation, implement, Router, type RouterOptions } from "./router.js";
export type { CallOptions, Link, PeerInfo, Transport } from "./transport.js";
