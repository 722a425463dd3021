/** `@anyplug/sdk` in a WebAssembly module: what a plugin's author imports, without anything of Node. */

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
export type { ListenOptions, PluginServer } from "../listen.js";
export { type Log, log } from "../log.js";
export {
  definePlugin,
  type PluginConfig,
  type PluginDefinition,
  type PluginOptions,
  type PluginServices,
} from "../plugin.js";
export type { ServeOptions } from "../serve.js";
export { listen, serve } from "./serve.js";
