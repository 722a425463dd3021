/** Loads plugins. */

import { fileURLToPath } from "node:url";
import { AnyplugError, Code } from "@anyplug/core";
import { isAddress, parseAddress } from "@anyplug/ipc";
import { loadDirect } from "./direct.js";
import { type Instance, ProcessInstance } from "./instance.js";
import type { LoadOptions } from "./options.js";
import { type Plan, planLoad } from "./plan.js";
import { Plugin } from "./plugin.js";
import { SocketInstance } from "./socket.js";

/**
 * Loads the plugin at `path`: a folder that holds a plugin.json, or that file itself, as a path or a file URL; or the address where it is served, such as
 * `unix:/run/plugin.sock`, `tcp://127.0.0.1:9000` or `tls://plugins.example:9000`, with `#name` behind it for one of a set.
 *
 * ```ts
 * await using plugin = await loadPlugin("./plugins/eliza-classic/python", { startTimeoutMs: 3000 });
 * console.log(plugin.name, plugin.version);
 * ```
 *
 * @throws AnyplugError (rejects) NOT_FOUND when there is no plugin or no program, INVALID_ARGUMENT for a manifest or option that is wrong, UNAVAILABLE when the process ends
 * before its hello, DEADLINE_EXCEEDED when the hello does not come, FAILED_PRECONDITION when protocol or schemas do not fit, CANCELLED when the signal is aborted, and the
 * plugin's own error when it refuses its configuration.
 */
export async function loadPlugin(path: string | URL, options: LoadOptions = {}): Promise<Plugin> {
  const { signal } = options;
  if (signal?.aborted) throw AnyplugError.from(signal.reason, Code.Cancelled);
  const place = path instanceof URL && path.protocol === "file:" ? fileURLToPath(path) : String(path);
  if (isAddress(place)) return loadServed(place, options);
  const plan = planLoad(place, options);
  const instance = await start(plan, options);
  const peer = await instance.link.opened;
  return new Plugin(instance, peer, plan.manifest, plan.transport);
}

async function loadServed(place: string, options: LoadOptions): Promise<Plugin> {
  const address = parseAddress(place);
  const { instance, manifest } = await SocketInstance.start(address, options);
  return new Plugin(instance, await instance.link.opened, manifest, address.kind);
}

function start(plan: Plan, options: LoadOptions): Promise<Instance> {
  return plan.transport === "direct" ? loadDirect(plan, options) : ProcessInstance.start(plan, options);
}
