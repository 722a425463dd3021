/** Loads plugins that need each other. */

import { AnyplugError, Code } from "@anyplug/core";
import { dependent, loadOrder } from "./dependencies.js";
import type { FoundPlugin, PluginFailure } from "./discovery.js";
import { loadPlugin } from "./load.js";
import type { LoadOptions } from "./options.js";
import type { Plugin } from "./plugin.js";

/** Plugins that were loaded together. */
export class PluginSet implements AsyncDisposable {
  /** The loaded ones by their names, in the order in which they were loaded. */
  readonly plugins: ReadonlyMap<string, Plugin>;
  /** Those that could not be loaded, and why. */
  readonly failures: readonly PluginFailure[];

  /** Made by `loadPlugins`. */
  constructor(plugins: ReadonlyMap<string, Plugin>, failures: readonly PluginFailure[]) {
    this.plugins = plugins;
    this.failures = failures;
  }

  /**
   * Returns a plugin that was loaded.
   *
   * @throws AnyplugError NOT_FOUND when there is none of this name; of one that failed its error.
   */
  get(name: string): Plugin {
    const plugin = this.plugins.get(name);
    if (plugin !== undefined) return plugin;
    const failure = this.failures.find((each) => each.name === name);
    throw failure?.error ?? new AnyplugError(Code.NotFound, `there is no plugin "${name}" in this set`);
  }

  /** Closes all, one after the other: each before those that it depends on. */
  async close(): Promise<void> {
    for (const plugin of [...this.plugins.values()].reverse()) await plugin.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Loads plugins, each after those that it names in `dependencies`, others at the same time. One that cannot be loaded fails those that depend on it, with its reason;
 * the others are loaded. A dependency is the name of a plugin, or of the npm package that it is in.
 *
 * @param options for all, or a function that says for each
 * @throws AnyplugError (rejects) CANCELLED when the signal is aborted; what was loaded is closed then.
 */
export async function loadPlugins(
  found: Iterable<FoundPlugin>,
  options: LoadOptions | ((plugin: FoundPlugin) => LoadOptions) = {},
): Promise<PluginSet> {
  const { order, errors } = loadOrder([...found]);
  const failures = [...errors].map(([plugin, error]) => failureOf(plugin, error));
  const loaded = new Map<string, Plugin>();
  const signals = new Set<AbortSignal>();
  const results = new Map<FoundPlugin, Promise<AnyplugError | undefined>>();

  const load = async (plugin: FoundPlugin, needed: readonly FoundPlugin[]): Promise<AnyplugError | undefined> => {
    try {
      for (const other of needed) {
        const error = await results.get(other);
        if (error !== undefined) throw dependent(plugin, other, error);
      }
      const own = typeof options === "function" ? options(plugin) : options;
      if (own.signal !== undefined) signals.add(own.signal);
      loaded.set(plugin.name, await loadPlugin(plugin, own));
      return undefined;
    } catch (error) {
      const failure = failureOf(plugin, AnyplugError.from(error));
      failures.push(failure);
      return failure.error;
    }
  };
  for (const [plugin, needed] of order) results.set(plugin, load(plugin, needed));
  await Promise.all(results.values());

  const set = new PluginSet(loaded, failures);
  const aborted = [...signals].find((signal) => signal.aborted);
  if (aborted === undefined) return set;
  await set.close();
  throw AnyplugError.from(aborted.reason, Code.Cancelled);
}

function failureOf({ name, source, from }: FoundPlugin, error: AnyplugError): PluginFailure {
  return { name, source, from, error };
}
