/** Loads plugins. */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { AnyplugError, Code } from "@anyplug/core";
import { isAddress, jsonRpcPlace, parseAddress } from "@anyplug/ipc";
import { linkedPlugin } from "./builtin.js";
import { type LinkedPlugin, loadLinked } from "./direct.js";
import type { FoundPlugin } from "./discovery.js";
import { loadLibrary } from "./ffi.js";
import { type Instance, ProcessInstance } from "./instance.js";
import { JsonRpcInstance } from "./json-rpc.js";
import { type LocatedPlugin, locatePlugin, locatePythonModule } from "./locate.js";
import type { LoadOptions } from "./options.js";
import { type Plan, planLoad } from "./plan.js";
import { Plugin } from "./plugin.js";
import { SocketInstance } from "./socket.js";
import { loadModule } from "./wasm.js";

/**
 * Loads a plugin:
 *
 * - a folder that holds a plugin.json, or that file itself;
 * - a module that exports `plugin`, in JavaScript (.js, .mjs, .cjs) or Python (.py), an executable file, or a Python module by its name, as in
 *   `python:my_package.my_module`: they need no plugin.json;
 * - a WebAssembly module (.wasm), which says itself what it is;
 * - a shared library (.so, .dylib, .dll), which does so too, and runs in this process;
 * - the address where it is served, such as `unix:/run/plugin.sock`, `tcp://127.0.0.1:9000` or `tls://plugins.example:9000`, with `#name` behind it for one of a set, and
 *   `json-rpc+` before it where the plugin speaks JSON-RPC;
 * - what `discoverPlugins` found.
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
export async function loadPlugin(plugin: string | URL | FoundPlugin, options: LoadOptions = {}): Promise<Plugin> {
  const { signal } = options;
  if (signal?.aborted) throw AnyplugError.from(signal.reason, Code.Cancelled);
  if (typeof plugin !== "string" && !(plugin instanceof URL)) return loadLocated(plugin, options);
  const place = plugin instanceof URL && plugin.protocol === "file:" ? fileURLToPath(plugin) : String(plugin);
  return isAddress(place) ? loadServed(place, options) : loadLocated(locatePlugin(place), options);
}

/**
 * Loads a plugin in Python: a module by its name, such as `my_package.my_module`, which binds the plugin to `plugin` (or to another name: `my_module:other`); or a path or
 * an address, as `loadPlugin` takes it. A module is looked for where the Python of the plugin finds it, and in the working folder.
 *
 * ```ts
 * await using plugin = await loadPythonPlugin("my_python_plugin");
 * ```
 *
 * @throws AnyplugError (rejects) as `loadPlugin`; FAILED_PRECONDITION for a plugin in another language.
 */
export async function loadPythonPlugin(module: string, options: LoadOptions = {}): Promise<Plugin> {
  if (isAddress(module)) return loadPlugin(module, options);
  if (!module.includes("/") && !existsSync(module)) return loadLocated(locatePythonModule(module, "."), options);
  const located = locatePlugin(module);
  const { language } = located.manifest;
  if (language === "python") return loadLocated(located, options);
  const message = `${located.file}: expected a plugin in Python, and its language is ${JSON.stringify(language)}; load it by loadPlugin`;
  throw new AnyplugError(Code.FailedPrecondition, message);
}

/**
 * Loads a plugin that is part of this program, without a manifest.
 *
 * @throws AnyplugError (rejects) as `loadPlugin`.
 */
export async function loadDirect(plugin: LinkedPlugin, options: LoadOptions = {}): Promise<Plugin> {
  return loadLocated(linkedPlugin(plugin), options);
}

async function loadLocated(located: LocatedPlugin, options: LoadOptions): Promise<Plugin> {
  const { signal } = options;
  if (signal?.aborted) throw AnyplugError.from(signal.reason, Code.Cancelled);
  const plan = planLoad(located, options);
  if (plan.transport === "wasm") {
    const { instance, manifest } = await loadModule(plan, options);
    return new Plugin(instance, instance.hello, manifest, plan.transport);
  }
  if (plan.transport === "ffi") {
    const { instance, peer, manifest } = await loadLibrary(plan, options);
    return new Plugin(instance, peer, manifest, plan.transport);
  }
  const instance = await start(plan, options);
  const peer = await instance.link.opened;
  return new Plugin(instance, peer, plan.manifest, plan.transport);
}

async function loadServed(place: string, options: LoadOptions): Promise<Plugin> {
  const jsonRpc = jsonRpcPlace(place);
  const address = parseAddress(jsonRpc ?? place);
  const start = jsonRpc === undefined ? SocketInstance.start : JsonRpcInstance.connect;
  const { instance, manifest } = await start(address, options);
  return new Plugin(instance, await instance.link.opened, manifest, address.kind);
}

function start(plan: Plan, options: LoadOptions): Promise<Instance> {
  if (plan.isJsonRpc) return JsonRpcInstance.start(plan, options);
  return plan.transport === "direct" ? loadLinked(plan, options) : ProcessInstance.start(plan, options);
}
