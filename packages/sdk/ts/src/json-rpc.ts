/** Serves a plugin to peers that speak JSON-RPC. */

import type { Socket } from "node:net";
import { AnyplugError, Code, Router } from "@anyplug/core";
import { connectDirect } from "@anyplug/direct";
import { type Listener, listenSocket, parseAddress, type StandardStreams, StreamChannel } from "@anyplug/ipc";
import { failureText, framed, JsonRpcPeer } from "@anyplug/jsonrpc";
import type { ListenOptions, PluginServer } from "./listen.js";
import { printRecord } from "./log.js";
import { type PluginConfig, type PluginDefinition, servicesOf } from "./plugin.js";

/** The address of the standard streams: what ANYPLUG_LISTEN says where JSON-RPC is spoken on them. */
export const jsonRpcOverStdio = "json-rpc+stdio:";

/**
 * Answers the calls of one peer, until it writes nothing more and has been answered.
 *
 * @throws AnyplugError (rejects) what the plugin throws that refuses its configuration.
 */
export async function serveJsonRpc(
  { input, output }: StandardStreams,
  plugin: PluginDefinition,
  config: PluginConfig,
): Promise<JsonRpcPeer> {
  const { name, version, limits } = plugin;
  const own = await servicesOf(plugin, config);
  const router = new Router({ services: own, uses: plugin.uses, grants: "all", config });
  const host = { name: "json-rpc", version: "", router: new Router() };
  const link = connectDirect({ host, plugin: { name, version, router, limits }, onLog: printRecord });
  const channel = new StreamChannel(input, output, {
    whyEnded: (cause) => new AnyplugError(Code.Unavailable, "the peer closed the connection", { cause }),
    onInputEnded: () => void peer.inputEnded(),
  });
  const served = { name, version, services: own.map(({ service }) => service), transport: link };
  const peer = new JsonRpcPeer(channel, { served, limits });
  void peer.closed.then((reason) => link.close(reason));
  return peer;
}

/**
 * Returns the plugin of a set of one: a client that speaks JSON-RPC cannot say which plugin it wants.
 *
 * @throws AnyplugError INVALID_ARGUMENT for another number of them.
 */
export function onlyPlugin(plugins: readonly PluginDefinition[]): PluginDefinition {
  const [plugin] = plugins;
  if (plugin !== undefined && plugins.length === 1) return plugin;
  const message = `JSON-RPC is spoken with one plugin at an address, and there are ${plugins.length}; give each its own`;
  throw new AnyplugError(Code.InvalidArgument, message);
}

/** A server of a plugin on a socket where JSON-RPC is spoken. */
export class JsonRpcServer implements PluginServer {
  readonly #plugin: PluginDefinition;
  readonly #options: ListenOptions;
  readonly #peers = new Set<JsonRpcPeer>();
  #open = 0;
  #listener: Listener | undefined;
  #closing: Promise<void> | undefined;

  constructor(plugin: PluginDefinition, options: ListenOptions) {
    this.#plugin = plugin;
    this.#options = options;
  }

  get address(): string {
    return `json-rpc+${this.#listener?.address ?? ""}`;
  }

  get connections(): number {
    return this.#open;
  }

  /** Begins to listen at `place`, which is what is behind `json-rpc+`. */
  async open(place: string): Promise<void> {
    const { tls, allowPlaintext, helloTimeoutMs = 30_000 } = this.#options;
    this.#listener = await listenSocket(parseAddress(place), {
      tls,
      allowPlaintext,
      handshakeTimeoutMs: helloTimeoutMs,
      onSocket: (socket) => void this.#serve(socket),
      onRefused: (reason) => report(reason),
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #serve(socket: Socket): Promise<void> {
    const { maxConnections = 1000, config = {} } = this.#options;
    this.#open += 1;
    try {
      if (this.#open > maxConnections) {
        const full = `${maxConnections} peers are connected already, and no more may be`;
        throw new AnyplugError(Code.ResourceExhausted, full);
      }
      const peer = await serveJsonRpc({ input: socket, output: socket }, this.#plugin, config);
      this.#peers.add(peer);
      if (this.#closing !== undefined) peer.fail(closed);
      await peer.closed;
      this.#peers.delete(peer);
    } catch (error) {
      const reason = AnyplugError.from(error);
      report(reason);
      socket.on("error", () => {});
      socket.end(framed(failureText("null", reason), "lines"), () => socket.destroy());
    } finally {
      this.#open -= 1;
    }
  }

  async #close(): Promise<void> {
    this.#listener?.close();
    const { drainTimeoutMs = 5_000 } = this.#options;
    const peers = [...this.#peers];
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainTimeoutMs);
    });
    await Promise.race([Promise.all(peers.map((peer) => peer.idle())), late]);
    clearTimeout(timer);
    for (const peer of peers) peer.fail(closed);
    await Promise.all(peers.map((peer) => peer.closed));
  }
}

const closed = new AnyplugError(Code.Unavailable, "the plugin's server was closed");

function report(reason: AnyplugError): void {
  const message = `a peer was turned away: ${reason}`;
  printRecord({ level: "warn", message, logger: "", timeMs: Date.now(), fields: {} });
}
