/** `serve` and `listen` in a WebAssembly module. */

import { AnyplugError, Code } from "@anyplug/core";
import type { PluginServer } from "../listen.js";
import type { PluginDefinition } from "../plugin.js";

let served: PluginDefinition | undefined;

/** What `serve` was called with. */
export function servedPlugin(): PluginDefinition | undefined {
  return served;
}

/** Serves a plugin to the host that loads the module. Never resolves. */
export function serve(plugins: PluginDefinition | readonly PluginDefinition[]): Promise<never> {
  const all = [plugins].flat();
  const [plugin] = all;
  if (plugin === undefined || all.length > 1 || served !== undefined) {
    const message = `a module serves one plugin to the host that loads it, and this one has ${all.length}; build a module of each`;
    return Promise.reject(new AnyplugError(Code.FailedPrecondition, message));
  }
  served = plugin;
  return new Promise(() => {});
}

/** There are no sockets in a module. */
export function listen(): Promise<PluginServer> {
  const message = "a WebAssembly module cannot listen at an address: its host serves it";
  return Promise.reject(new AnyplugError(Code.Unimplemented, message));
}
