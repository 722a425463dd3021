#!/usr/bin/env node
/**
 * Serves a plugin that was written for ElizaOS's TypeScript runtime, unchanged, to any host of anyplug: the `ipcCommand` of a plugin.json.
 *
 * ```
 * anyplug-elizaos MODULE [EXPORT]
 * anyplug-elizaos LIBRARY
 * ```
 *
 * MODULE is a file or a package as seen from the working folder; EXPORT is the export that is the plugin: by default the first that looks like one. LIBRARY is a shared library (.so, .dylib, .dll) with
 * ElizaOS's C ABI.
 */

import { createRequire } from "node:module";
import { isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type AgentPluginDefinition, agentPlugin } from "@anyplug/contracts/agent";
import { AnyplugError, Code } from "@anyplug/core";
import { definePlugin, serve } from "@anyplug/sdk";
import { loadLibraryPlugin } from "./library.js";
import { publishedPlugin } from "./runtime/published.js";
import type { ElizaPlugin } from "./runtime/types.js";

const [module, wanted] = process.argv.slice(2);
if (module === undefined) {
  console.error("usage: anyplug-elizaos MODULE [EXPORT], or anyplug-elizaos LIBRARY");
  process.exit(2);
}
const definition = /\.(so|dylib|dll)$/.test(module)
  ? (await loadLibraryPlugin(resolve(module))).definition
  : publishedPlugin(await imported(module, wanted));
await serve(definePlugin({ name: nameOf(definition), version: "0.0.0", services: [agentPlugin(definition)] }));

/** The plugin that a module exports. */
async function imported(name: string, wantedExport: string | undefined): Promise<ElizaPlugin> {
  const isFile = name.startsWith(".") || isAbsolute(name);
  const file = isFile ? resolve(name) : createRequire(join(process.cwd(), "package.json")).resolve(name);
  const exported = exportsOf((await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>);
  const found = wantedExport === undefined ? Object.values(exported).find(isPlugin) : exported[wantedExport];
  if (isPlugin(found)) return found;
  const names = Object.keys(exported).join(", ") || "nothing";
  const what = wantedExport === undefined ? "no plugin of ElizaOS" : `no plugin of ElizaOS "${wantedExport}"`;
  throw new AnyplugError(Code.NotFound, `${file} exports ${what}; it exports ${names}`);
}

/** What a module exports. All that one of CommonJS exports is its default export, of which Node sees not every name. */
function exportsOf(namespace: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { default: inner } = namespace;
  return typeof inner === "object" && inner !== null && !isPlugin(inner) ? { ...inner, ...namespace } : namespace;
}

function isPlugin(value: unknown): value is ElizaPlugin {
  return typeof value === "object" && value !== null && "name" in value && "description" in value;
}

/** The name as plugin.json has it: published ones are "@elizaos/plugin-x", too. */
function nameOf({ name }: AgentPluginDefinition): string {
  const plain = name
    .toLowerCase()
    .replace(/^.*\//, "")
    .replaceAll(/[^a-z0-9-]/g, "-");
  return /^[a-z]/.test(plain) ? plain : `plugin-${plain}`;
}
