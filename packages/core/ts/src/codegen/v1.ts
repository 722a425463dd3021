/** All that generated code sees of the core. What is exported here stays as it is until there is a `v2`. */

export type { HandlerContext } from "../context.js";
export type {
  ClientOf,
  HandlerOf,
  MessageCodec,
  MethodDefinition,
  MethodDescriptor,
  MethodKind,
  ServiceDefinition,
  ServiceDescriptor,
} from "../descriptor.js";
export { defineService } from "../descriptor.js";
export type { Metadata } from "../header.js";
export type { CallOptions } from "../transport.js";
