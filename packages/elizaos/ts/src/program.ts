#!/usr/bin/env node
/**
 * Serves a plugin that was written for ElizaOS's TypeScript runtime, unchanged, to any host of anyplug: the `ipcCommand` of a plugin.json.
 *
 * ```
 * anyplug-elizaos MODULE [EXPORT]
 * ```
 *
 * MODULE is a file or a package as seen from the working folder; EXPORT is the export that is the plugin: by default the first that looks like one.
 */

import { createRequire } from "node:module";
import { isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { agentPlugin } from "@anyplug/contracts/agent";
import { AnyplugError, Code } from "@anyplug/core";
import { definePlugin, serve } from "@anyplug/sdk";
import { publishedPlugin } from "./runtime/published.js";
import type { ElizaPlugin } from "./runtime/types.js";

const [module, wanted] = process.argv.slice(2);
if (module === undefined) {
  console.error("usage: anyplug-elizaos MODULE [EXPORT]");
  process.exit(2);
}
const isFile = module.startsWith(".") || isAbsolute(module);
const file = isFile ? resolve(module) : createRequire(join(process.cwd(), "package.json")).resolve(module);
const exported = exportsOf((await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>);
const found = wanted === undefined ? Object.values(exported).find(isPlugin) : exported[wanted];
if (!isPlugin(found)) {
  const names = Object.keys(exported).join(", ") || "nothing";
  const what = wanted === undefined ? "no plugin of ElizaOS" : `no plugin of ElizaOS "${wanted}"`;
  throw new AnyplugError(Code.NotFound, `${file} exports ${what}; it exports ${names}`);
}
await serve(definePlugin({ name: nameOf(found), version: "0.0.0", services: [agentPlugin(publishedPlugin(found))] }));

/** What a module exports. All that one of CommonJS exports is its default export, of which Node sees not every name. */
function exportsOf(namespace: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { default: inner } = namespace;
  return typeof inner === "object" && inner !== null && !isPlugin(inner) ? { ...inner, ...namespace } : namespace;
}

function isPlugin(value: unknown): value is ElizaPlugin {
  return typeof value === "object" && value !== null && "name" in value && "description" in value;
}

/** The name as plugin.json has it: published ones are "@elizaos/plugin-x", too. */
function nameOf({ name }: ElizaPlugin): string {
  const plain = name
    .toLowerCase()
    .replace(/^.*\//, "")
    .replaceAll(/[^a-z0-9-]/g, "-");
  return /^[a-z]/.test(plain) ? plain : `plugin-${plain}`;
}
