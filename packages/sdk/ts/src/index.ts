/**
 * What an anyplug plugin author imports: define a plugin and serve it over every transport.
 *
 * ```ts
 * export const plugin = definePlugin({ name: "greeter", version: "1.0.0", services: [implement(Greeter, new MyGreeter())] });
 * await serve(plugin);
 * ```
 */

export {
  AnyplugError,
  type AnyplugErrorOptions,
  type CallOptions,
  Code,
  type CodeName,
  codeFromName,
  codeFromNumber,
  codeName,
  type Detail,
  type HandlerContext,
  type Implementation,
  implement,
  type LimitOptions,
  type LogFields,
  type LogLevel,
  type LogRecord,
  type Metadata,
  type ServiceDescriptor,
} from "@anyplug/core";
export { type ListenOptions, listen, type PluginServer } from "./listen.js";
export { type Log, log } from "./log.js";
export {
  definePlugin,
  type PluginConfig,
  type PluginDefinition,
  type PluginOptions,
  type PluginServices,
} from "./plugin.js";
export { type ServeOptions, serve } from "./serve.js";
