/** Serves a plugin over the channel, or at the address, that its surroundings name. */

import { once } from "node:events";
import { AnyplugError, Code, Connection, Router } from "@anyplug/core";
import {
  channelVariable,
  configVariable,
  listenVariable,
  openChannel,
  openStandardStreams,
  type PipeChannel,
} from "@anyplug/ipc";
import { parseConfig } from "./config.js";
import { jsonRpcOverStdio, onlyPlugin, serveJsonRpc } from "./json-rpc.js";
import { type ListenOptions, listen } from "./listen.js";
import { printRecord, setLogSink } from "./log.js";
import { type PluginConfig, type PluginDefinition, servicesOf } from "./plugin.js";
import { surroundings } from "./surroundings.js";

/** How plugins are served that no host started. What is not set is as the environment says. */
export type ServeOptions = Partial<ListenOptions>;

/** The status of a program that was not started by a host: "command line usage error". */
const notLoaded = 64;

/** Milliseconds that handlers have that were cancelled because the channel ended. */
const finishGraceMs = 500;

let serving = false;

/** Whether `serve` was called. */
export function isServing(): boolean {
  return serving;
}

/**
 * Serves a plugin, or a set of plugins at one address, and then ends the process.
 *
 * It finds out by its surroundings how it is reached. Started by a host, it serves that host until the channel is closed. Otherwise it listens at the address in
 * `options.listen` or in ANYPLUG_LISTEN, until SIGTERM or SIGINT: then calls in flight may end. At `json-rpc+stdio:` it speaks JSON-RPC on its standard streams until stdin ends. With neither it explains itself on stderr and exits with 64. A plugin that
 * refuses its configuration, or that cannot listen, exits with 1, and says why.
 */
export async function serve(
  plugins: PluginDefinition | readonly PluginDefinition[],
  options: ServeOptions = {},
): Promise<never> {
  serving = true;
  const all = [plugins].flat();
  const who = all.map(({ name, version }) => `${name} ${version}`).join(", ");
  try {
    const channel = openChannel();
    if (channel !== undefined) {
      await serveOver(channel, all);
      return process.exit(0);
    }
    const where = surroundings(options);
    if (where === undefined) return exit(notLoaded, explanation(who));
    if (where.listen === jsonRpcOverStdio) await serveStandardStreams(where, all);
    else await serveAt(where, all, who);
    return process.exit(0);
  } catch (error) {
    return exit(1, `${all.map(({ name }) => name).join(", ")}: ${AnyplugError.from(error).message}`);
  }
}

function explanation(who: string): string {
  return (
    `${who} is an anyplug plugin: it answers a host program, not a person. Nothing is to be done here; load it from a host by its folder, ` +
    `with loadPlugin in TypeScript or load_plugin in Python and Rust; or set ${listenVariable} to an address, such as unix:/run/plugin.sock, ` +
    `to serve it there. (A host names the channel in ${channelVariable}, which is not set.)`
  );
}

async function serveAt(options: ListenOptions, plugins: readonly PluginDefinition[], who: string): Promise<void> {
  const server = await listen(plugins, options);
  const asked = new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
  });
  process.stdout.write(`${who} at ${server.address}\n`);
  await asked;
  await server.close();
  await handlersEnded();
}

/** Speaks JSON-RPC with whoever started this program, until it writes nothing more. */
async function serveStandardStreams(
  { config = {} }: ListenOptions,
  plugins: readonly PluginDefinition[],
): Promise<void> {
  delete process.env[listenVariable];
  const { closed } = await serveJsonRpc(openStandardStreams(), onlyPlugin(plugins), config);
  await closed;
  await handlersEnded();
}

async function serveOver(channel: PipeChannel, plugins: readonly PluginDefinition[]): Promise<void> {
  const [plugin] = plugins;
  if (plugin === undefined || plugins.length > 1) {
    const message = `a process serves one plugin to the host that started it, and this one has ${plugins.length}; serve them at an address`;
    throw new AnyplugError(Code.FailedPrecondition, message);
  }
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
  return text === undefined ? {} : parseConfig(text, configVariable);
}

function exit(status: number, message: string): never {
  process.stderr.write(`${message}\n`);
  return process.exit(status);
}
