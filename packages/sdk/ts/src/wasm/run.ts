/** `@anyplug/sdk/wasm`: what the program in a module begins with, before the plugin itself is read. */

import "./globals/index.js";
import type { PluginDefinition } from "../plugin.js";
import { serveGuest } from "./guest.js";
import { servedPlugin } from "./serve.js";

/** Serves what the plugin's module exports as `plugin`, or what it called `serve` with. Returns it; undefined when there is neither. */
export function run({ plugin }: { readonly plugin?: unknown }): PluginDefinition | undefined {
  const found = servedPlugin() ?? (isDefinition(plugin) ? plugin : undefined);
  if (found !== undefined) serveGuest(found);
  return found;
}

function isDefinition(value: unknown): value is PluginDefinition {
  return typeof value === "object" && value !== null && "name" in value && "version" in value && "services" in value;
}
