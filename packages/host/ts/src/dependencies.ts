/** Brings plugins that need each other into an order. */

import { AnyplugError, Code } from "@anyplug/core";
import type { FoundPlugin } from "./discovery.js";

/** The order in which plugins are loaded, with what each needs; and why some cannot be. */
export interface LoadOrder {
  readonly order: ReadonlyMap<FoundPlugin, readonly FoundPlugin[]>;
  readonly errors: ReadonlyMap<FoundPlugin, AnyplugError>;
}

/** Returns the plugins in an order in which each comes after those that it names in `dependencies`, by their names or those of their npm packages. */
export function loadOrder(plugins: readonly FoundPlugin[]): LoadOrder {
  const order = new Map<FoundPlugin, readonly FoundPlugin[]>();
  const errors = new Map<FoundPlugin, AnyplugError>();
  for (const plugin of plugins) visit(plugin, []);
  return { order, errors };

  function visit(plugin: FoundPlugin, path: readonly FoundPlugin[]): void {
    if (order.has(plugin) || errors.has(plugin)) return;
    const from = path.indexOf(plugin);
    if (from >= 0) {
      const cycle = path.slice(from);
      const error = cyclic([...cycle, plugin]);
      for (const each of cycle) errors.set(each, error);
      return;
    }
    const needed: FoundPlugin[] = [];
    for (const name of plugin.manifest.dependencies) {
      const other = find(name);
      if (other === undefined) {
        if (!errors.has(plugin)) errors.set(plugin, missing(plugin, name));
        continue;
      }
      visit(other, [...path, plugin]);
      const error = errors.get(other);
      if (error !== undefined && !errors.has(plugin)) errors.set(plugin, dependent(plugin, other, error));
      needed.push(other);
    }
    if (!errors.has(plugin)) order.set(plugin, needed);
  }

  function find(name: string): FoundPlugin | undefined {
    const named = plugins.find((plugin) => plugin.name === name);
    return named ?? plugins.find(({ source, from }) => source === "npm" && from === name);
  }
}

/** Why a plugin is not loaded that needs one which failed. */
export function dependent({ name }: FoundPlugin, other: FoundPlugin, { message }: AnyplugError): AnyplugError {
  return new AnyplugError(Code.FailedPrecondition, `plugin "${name}" needs "${other.name}", which failed: ${message}`);
}

function missing({ name }: FoundPlugin, dependency: string): AnyplugError {
  const message = `plugin "${name}" needs "${dependency}", which was not found; add it to what is discovered`;
  return new AnyplugError(Code.FailedPrecondition, message);
}

function cyclic(cycle: readonly FoundPlugin[]): AnyplugError {
  const names = cycle.map(({ name }) => name).join(" → ");
  return new AnyplugError(Code.FailedPrecondition, `plugins need each other in a cycle: ${names}`);
}
