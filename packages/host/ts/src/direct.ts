/** A plugin in this process: its module is imported, and its handlers are called with objects. */

import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import {
  AnyplugError,
  Code,
  type Implementation,
  type LimitOptions,
  type Link,
  Router,
  type ServiceDescriptor,
} from "@anyplug/core";
import { explained, negotiateAll } from "@anyplug/core/transports";
import { connectDirect } from "@anyplug/direct";
import { type Instance, wasClosed } from "./instance.js";
import { defaultDrainTimeoutMs, defaultStartTimeoutMs, type LoadOptions } from "./options.js";
import { pathInside } from "./paths.js";
import { failureLog, hostName, hostRouter, type Plan } from "./plan.js";
import { withinTime } from "./time.js";

/** What `definePlugin` of the SDK returns. The host does not import the SDK: it is the plugin's own. */
export interface LinkedPlugin {
  readonly name: string;
  readonly version: string;
  readonly services:
    | readonly Implementation[]
    | ((config: Plan["config"]) => readonly Implementation[] | Promise<readonly Implementation[]>);
  readonly uses?: readonly ServiceDescriptor[];
  readonly limits?: LimitOptions;
}

/**
 * Loads a plugin into this process. Its module is imported once, however often it is loaded; `services` of `definePlugin` is called for each load.
 *
 * @throws AnyplugError NOT_FOUND when there is no module, FAILED_PRECONDITION when it exports no plugin or the schemas do not fit, the plugin's own when it refuses to start,
 * DEADLINE_EXCEEDED when it takes too long, CANCELLED when the signal was aborted.
 */
export async function loadLinked(plan: Plan, options: LoadOptions): Promise<Instance> {
  const { startTimeoutMs = defaultStartTimeoutMs, signal } = options;
  const late = () => {
    const message = `plugin "${plan.manifest.name}" was not ready within ${startTimeoutMs} ms`;
    return new AnyplugError(Code.DeadlineExceeded, message);
  };
  const link = await withinTime(connect(plan, options), startTimeoutMs, signal, late);
  return new DirectInstance(link, (await link.opened).name, options.drainTimeoutMs ?? defaultDrainTimeoutMs);
}

async function connect(plan: Plan, options: LoadOptions): Promise<Link> {
  const { config, linked } = plan;
  const plugin = linked ?? (await importPlugin(plan));
  let router: Router;
  try {
    const services = typeof plugin.services === "function" ? await plugin.services(config) : plugin.services;
    router = new Router({ services, uses: plugin.uses, grants: "all", config, onError: failureLog(options.onLog) });
  } catch (error) {
    throw explained(error, `plugin "${plugin.name}" refused to start`);
  }
  const host = { name: hostName(options), version: "", router: hostRouter(plan, options), limits: plan.limits };
  const link = connectDirect({
    host,
    plugin: { name: plugin.name, version: plugin.version, router, limits: plugin.limits },
    onLog: options.onLog,
  });
  await negotiateAll(link, options.expect);
  return link;
}

async function importPlugin({ manifest, folder, file }: Plan): Promise<LinkedPlugin> {
  const path = pathInside(folder, manifest.interop?.module ?? "", "interop.module");
  if (!existsSync(path)) {
    throw new AnyplugError(
      Code.NotFound,
      `${file}: interop.module: ${path} does not exist; build the plugin, or name another`,
    );
  }
  let module: { readonly plugin?: unknown };
  try {
    module = await import(pathToFileURL(path).href);
  } catch (cause) {
    const message = `plugin "${manifest.name}" cannot be imported: ${path}: ${AnyplugError.from(cause).message}`;
    throw new AnyplugError(Code.FailedPrecondition, message, { cause });
  }
  if (isDefinition(module.plugin)) return module.plugin;
  const message = `${path} exports no "plugin" that definePlugin made; export one, or choose transport "process"`;
  throw new AnyplugError(Code.FailedPrecondition, message);
}

function isDefinition(value: unknown): value is LinkedPlugin {
  if (typeof value !== "object" || value === null) return false;
  const { name, version, services } = value as { [Member in keyof LinkedPlugin]?: unknown };
  return (
    typeof name === "string" &&
    typeof version === "string" &&
    (typeof services === "function" || Array.isArray(services))
  );
}

class DirectInstance implements Instance {
  readonly link: Link;
  readonly #name: string;
  readonly #drainTimeoutMs: number;
  #closing: Promise<void> | undefined;

  constructor(link: Link, name: string, drainTimeoutMs: number) {
    this.link = link;
    this.#name = name;
    this.#drainTimeoutMs = drainTimeoutMs;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // Calls that take longer end with the link.
    await withinTime(this.link.drain(), this.#drainTimeoutMs).catch(() => {});
    this.link.close(wasClosed(this.#name));
  }
}
