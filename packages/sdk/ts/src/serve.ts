/** Serves a plugin over the channel that its surroundings name. */

import { once } from "node:events";
import { AnyplugError, Code, Connection, Router } from "@anyplug/core";
import { channelVariable, configVariable, openChannel, type PipeChannel } from "@anyplug/ipc";
import { printRecord, setLogSink } from "./log.js";
import { type PluginConfig, type PluginDefinition, servicesOf } from "./plugin.js";

/** The status of a program that was not started by a host: "command line usage error". */
const notLoaded = 64;

/** Milliseconds that handlers have that were cancelled because the channel ended. */
const finishGraceMs = 500;

/**
 * Serves a plugin until its host closes the channel, and then ends the process.
 *
 * It finds out by its surroundings how it is reached. Started by hand it explains itself on stderr and exits with 64. A plugin that refuses its configuration exits with
 * 1, after it has told its host why.
 */
export async function serve(plugin: PluginDefinition): Promise<never> {
  try {
    const channel = openChannel();
    if (channel === undefined) return exit(notLoaded, explanation(plugin));
    await serveOver(channel, plugin);
    return process.exit(0);
  } catch (error) {
    return exit(1, `${plugin.name}: ${AnyplugError.from(error).message}`);
  }
}

function explanation({ name, version }: PluginDefinition): string {
  return (
    `${name} ${version} is an anyplug plugin: it answers a host program, not a person. Nothing is to be done here; load it from a host by its folder, ` +
    `with loadPlugin in TypeScript or load_plugin in Python and Rust. (A host names the channel in ${channelVariable}, which is not set.)`
  );
}

async function serveOver(channel: PipeChannel, plugin: PluginDefinition): Promise<void> {
  const { name, version, limits } = plugin;
  let router: Router | undefined;
  let refusal: AnyplugError | undefined;
  try {
    const config = readConfig();
    router = new Router({ services: await servicesOf(plugin, config), uses: plugin.uses, grants: "all", config });
  } catch (error) {
    refusal = AnyplugError.from(error);
  }
  // The host is told why over the channel, where it sees the code as well: in one piece, so that it never takes the plugin for one that has started.
  if (refusal !== undefined) channel.hold();
  const onLog = printRecord;
  const connection = new Connection(channel, { role: "plugin", name, version, limits, router, onLog });
  if (refusal !== undefined) {
    // The host speaks first; and a socket that is closed with bytes unread may take back what was written.
    await connection.opened.catch(() => {});
    connection.close(refusal);
    await channel.closed;
    throw refusal;
  }
  connection.opened.then(
    () => setLogSink((record) => connection.log(record)),
    () => {},
  );
  await connection.closed;
  await handlersEnded();
}

/** The handlers were cancelled. When all have ended, and nothing else of the plugin keeps the loop alive, it runs dry; if not, they had their time. */
async function handlersEnded(): Promise<void> {
  const late = new Promise<void>((resolve) => setTimeout(resolve, finishGraceMs).unref());
  await Promise.race([once(process, "beforeExit"), late]);
}

function readConfig(): PluginConfig {
  const text = process.env[configVariable];
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as PluginConfig;
  } catch (cause) {
    throw new AnyplugError(Code.InvalidArgument, `${configVariable} is not JSON: ${String(cause)}`, { cause });
  }
}

function exit(status: number, message: string): never {
  process.stderr.write(`${message}\n`);
  return process.exit(status);
}
