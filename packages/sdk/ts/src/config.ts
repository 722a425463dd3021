/** Reads configurations. */

import { AnyplugError, Code } from "@anyplug/core";
import type { PluginConfig } from "./plugin.js";

/**
 * Returns the configuration in `text`. `where` says where it is from.
 *
 * @throws AnyplugError INVALID_ARGUMENT when it is no JSON object.
 */
export function parseConfig(text: string, where: string): PluginConfig {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (cause) {
    throw new AnyplugError(Code.InvalidArgument, `${where} is not JSON: ${String(cause)}`, { cause });
  }
  if (typeof config === "object" && config !== null && !Array.isArray(config)) return config as PluginConfig;
  throw new AnyplugError(Code.InvalidArgument, `${where} is not a JSON object`);
}
