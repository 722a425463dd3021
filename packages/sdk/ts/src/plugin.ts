/** Defines a plugin: a value that says what it is and what it serves. */

import { AnyplugError, Code, type Implementation, type LimitOptions, type ServiceDescriptor } from "@anyplug/core";

/** The configuration that the host gave: that of plugin.json, with the host's own over it. */
export type PluginConfig = Readonly<Record<string, unknown>>;

/** What a plugin serves, or a function that returns it when the plugin starts. A function that throws refuses to start: the host's load fails with its message. */
export type PluginServices =
  | readonly Implementation[]
  | ((config: PluginConfig) => readonly Implementation[] | Promise<readonly Implementation[]>);

/** What a plugin is. */
export interface PluginOptions {
  /** Lower-case letters, digits and dashes, beginning with a letter: the name in plugin.json. */
  readonly name: string;
  readonly version: string;
  readonly services: PluginServices;
  /** The services of the host that the plugin calls. Their schemas are compared with the host's when the plugin is loaded. */
  readonly uses?: readonly ServiceDescriptor[];
  /** What the plugin accepts. Default: what its host accepts. */
  readonly limits?: LimitOptions;
}

/** A plugin, ready to be served or to be loaded into the same process. */
export interface PluginDefinition extends PluginOptions {
  readonly uses: readonly ServiceDescriptor[];
}

/**
 * Returns a plugin. Export it as `plugin` from the module that plugin.json names, and pass it to `serve` in the program that plugin.json names.
 *
 * @throws AnyplugError INVALID_ARGUMENT for a name that plugin.json could not have.
 */
export function definePlugin(options: PluginOptions): PluginDefinition {
  if (!/^[a-z][a-z0-9-]*$/.test(options.name)) {
    const message = `the plugin's name is ${JSON.stringify(options.name)}; expected lower-case letters, digits and dashes, beginning with a letter`;
    throw new AnyplugError(Code.InvalidArgument, message);
  }
  return Object.freeze({ uses: [], ...options });
}

/** Returns what the plugin serves with this configuration. */
export async function servicesOf(plugin: PluginDefinition, config: PluginConfig): Promise<readonly Implementation[]> {
  return typeof plugin.services === "function" ? plugin.services(config) : plugin.services;
}
