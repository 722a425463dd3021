/** Plugins that are part of the host's own program. */

import { AnyplugError, Code } from "@anyplug/core";
import { Manifest } from "@anyplug/protocol/anyplug/plugin/v1/manifest.js";
import type { LinkedPlugin } from "./direct.js";
import type { Finding } from "./discovery.js";
import type { LocatedPlugin } from "./locate.js";

const registered = new Map<string, LinkedPlugin>();

/**
 * Registers a plugin that is part of this program: `discoverPlugins` finds it first, and it is loaded into this process. Returns a function that takes it back.
 *
 * @throws AnyplugError ALREADY_EXISTS when one of this name is registered.
 */
export function registerBuiltin(plugin: LinkedPlugin): () => void {
  if (registered.has(plugin.name)) {
    throw new AnyplugError(Code.AlreadyExists, `a builtin plugin "${plugin.name}" is registered already`);
  }
  registered.set(plugin.name, plugin);
  return () => {
    if (registered.get(plugin.name) === plugin) registered.delete(plugin.name);
  };
}

/** What is registered. */
export function* builtins(): Generator<Finding> {
  for (const linked of registered.values()) {
    yield { source: "builtin", from: linked.name, locate: () => linkedPlugin(linked) };
  }
}

/** The plugin `linked`, as one that can be loaded. */
export function linkedPlugin(linked: LinkedPlugin): LocatedPlugin {
  const { name, version } = linked;
  const manifest = Manifest.fromPartial({ name, version, language: "typescript", transports: ["direct"] });
  return { manifest, folder: process.cwd(), file: `builtin:${name}`, isDerived: true, linked };
}
