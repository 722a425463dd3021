/** Serves the plugin of a module that is no program by itself: `@anyplug/sdk/run`. */

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { PluginDefinition } from "./plugin.js";
import { isServing, serve } from "./serve.js";

/** The status of a program whose module is no plugin. */
const noPlugin = 1;

/** Imports the module at `path`, relative to the working folder, and serves what it exports as `plugin`; then ends the process, as `serve` does. A module that serves by itself does so. */
export async function run(path: string): Promise<void> {
  const file = resolve(path);
  const { plugin }: { plugin?: unknown } = await import(pathToFileURL(file).href);
  if (isServing()) return;
  if (isDefinition(plugin)) return serve(plugin);
  process.stderr.write(`${file} exports no "plugin" that definePlugin made; export one\n`);
  process.exit(noPlugin);
}

function isDefinition(value: unknown): value is PluginDefinition {
  return typeof value === "object" && value !== null && "name" in value && "version" in value && "services" in value;
}
