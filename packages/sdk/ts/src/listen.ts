/** Serves plugins on a socket, to many hosts at once. */

import { AnyplugError, Code, Connection, type Hello, Router } from "@anyplug/core";
import {
  hearPreface,
  jsonRpcPlace,
  type Listener,
  listenSocket,
  type PipeChannel,
  type Preface,
  parseAddress,
  type TlsOptions,
} from "@anyplug/ipc";
import { parseConfig } from "./config.js";
import { JsonRpcServer, onlyPlugin } from "./json-rpc.js";
import { printRecord } from "./log.js";
import { type PluginConfig, type PluginDefinition, servicesOf } from "./plugin.js";

/** How plugins are served on a socket. */
export interface ListenOptions {
  /** Where: `unix:/run/x.sock`, `tcp://127.0.0.1:9000` (port 0: one that is free) or `tls://0.0.0.0:9000`; with `json-rpc+` before it for peers that speak JSON-RPC. */
  readonly listen: string;
  /** Certificates for `tls://`: a host has to show one of the same authority. */
  readonly tls?: TlsOptions | undefined;
  /** Allows `tcp://` beyond this machine, where anybody may read along and connect. */
  readonly allowPlaintext?: boolean | undefined;
  /** Members of the configuration that a host cannot change. */
  readonly config?: PluginConfig | undefined;
  /** Hosts that may be connected at once. One more is turned away with RESOURCE_EXHAUSTED. Default 1,000. */
  readonly maxConnections?: number | undefined;
  /** Milliseconds that a host may take to say hello. Default 30,000. */
  readonly helloTimeoutMs?: number | undefined;
  /** Milliseconds that calls in flight may take when the server is closed. Default 5,000. */
  readonly drainTimeoutMs?: number | undefined;
}

/** Milliseconds that a host may take to read why it was refused. */
const lingerMs = 2000;

/** A server of plugins. */
export interface PluginServer extends AsyncDisposable {
  /** Where it listens, with the port that the system chose: what `loadPlugin` takes. */
  readonly address: string;
  /** How many hosts are connected. */
  readonly connections: number;
  /** Listens no longer, removes the file of a Unix socket, lets calls in flight end and closes the connections. Calling it again waits for the same end. */
  close(): Promise<void>;
}

/**
 * Serves `plugins` on a socket until the server is closed. A host of a set says which plugin it wants behind the address: `unix:/run/x.sock#name`.
 *
 * Each host has a connection of its own, and services of its own where the plugin's are made by a function; otherwise all hosts share them.
 *
 * @throws AnyplugError (rejects) INVALID_ARGUMENT for a wrong address, option or set; ALREADY_EXISTS when the address is taken; FAILED_PRECONDITION for plaintext beyond this
 * machine; PERMISSION_DENIED, NOT_FOUND or UNAVAILABLE when the system refuses.
 */
export async function listen(
  plugins: PluginDefinition | readonly PluginDefinition[],
  options: ListenOptions,
): Promise<PluginServer> {
  const all = [plugins].flat();
  const place = jsonRpcPlace(options.listen);
  if (place !== undefined) {
    const jsonRpc = new JsonRpcServer(onlyPlugin(all), options);
    await jsonRpc.open(place);
    return jsonRpc;
  }
  const server = new Server(checked(all), options);
  await server.open();
  return server;
}

/** Refuses a set of plugins that cannot be told apart. */
function checked(plugins: readonly PluginDefinition[]): readonly PluginDefinition[] {
  if (plugins.length > 0 && new Set(plugins.map(({ name }) => name)).size === plugins.length) return plugins;
  const names = plugins.map(({ name }) => name).join(", ") || "none";
  throw new AnyplugError(
    Code.InvalidArgument,
    `plugins: expected at least one, each with a name of its own; got ${names}`,
  );
}

class Server implements PluginServer {
  readonly #plugins: ReadonlyMap<string, PluginDefinition>;
  readonly #options: ListenOptions;
  readonly #channels = new Map<PipeChannel, Connection | undefined>();
  #listener: Listener | undefined;
  #closing: Promise<void> | undefined;

  constructor(plugins: readonly PluginDefinition[], options: ListenOptions) {
    this.#plugins = new Map(plugins.map((plugin) => [plugin.name, plugin]));
    this.#options = options;
  }

  get address(): string {
    return this.#listener?.address ?? this.#options.listen;
  }

  get connections(): number {
    return this.#channels.size;
  }

  async open(): Promise<void> {
    const { listen, tls, allowPlaintext } = this.#options;
    const address = parseAddress(listen);
    if (address.plugin !== "") {
      const message = `address ${JSON.stringify(listen)}: a server offers all of its plugins; leave #${address.plugin} to the hosts`;
      throw new AnyplugError(Code.InvalidArgument, message);
    }
    this.#listener = await listenSocket(address, {
      tls,
      allowPlaintext,
      handshakeTimeoutMs: this.#helloTimeoutMs,
      onChannel: (channel) => void this.#serve(channel),
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

  get #helloTimeoutMs(): number {
    return this.#options.helloTimeoutMs ?? 30_000;
  }

  async #close(): Promise<void> {
    this.#listener?.close();
    const { drainTimeoutMs = 5_000 } = this.#options;
    await Promise.all([...this.#channels].map((entry) => end(...entry, drainTimeoutMs)));
  }

  async #serve(channel: PipeChannel): Promise<void> {
    const { maxConnections = 1000 } = this.#options;
    const tooMany = this.#channels.size >= maxConnections;
    // A host that is one too many is told so; where many are, there is no time for that.
    if (this.#channels.size >= 2 * maxConnections || this.#closing !== undefined) return channel.abandon();
    this.#channels.set(channel, undefined);
    const preface = await hearPreface(channel, this.#helloTimeoutMs);
    const full = `${maxConnections} hosts are connected already, and no more may be`;
    await this.#serveHost(
      channel,
      tooMany ? { ...preface, failure: new AnyplugError(Code.ResourceExhausted, full) } : preface,
    );
    await within(channel.closed, lingerMs);
    channel.abandon();
    this.#channels.delete(channel);
  }

  async #serveHost(channel: PipeChannel, { hello, failure, channel: heard }: Preface): Promise<void> {
    let { name, version, limits } = this.#any;
    let router: Router | undefined;
    let refusal = failure;
    try {
      if (refusal === undefined && hello !== undefined) {
        const plugin = this.#find(hello.plugin);
        ({ name, version, limits } = plugin);
        router = await this.#router(plugin, hello);
      }
    } catch (error) {
      refusal = AnyplugError.from(error);
    }
    // In one piece, so that the host never takes the plugin for one that has started.
    if (refusal !== undefined) channel.hold();
    const connection = new Connection(heard, { role: "plugin", name, version, limits, router, onLog: printRecord });
    this.#channels.set(channel, connection);
    if (refusal !== undefined) {
      if (hello !== undefined) await connection.opened.catch(() => {});
      connection.close(refusal);
      report(refusal);
    }
    const reason = await connection.closed;
    // Not a host that went, but one that broke the protocol.
    if (hello === undefined && refusal === undefined && reason.code !== Code.Unavailable) report(reason);
  }

  /** For a host that is turned away before it is known which plugin it wants. */
  get #any(): PluginDefinition {
    const [plugin] = this.#plugins.values();
    return plugin as PluginDefinition;
  }

  async #router(plugin: PluginDefinition, hello: Hello): Promise<Router> {
    const given = hello.config === "" ? {} : parseConfig(hello.config, "the configuration in the host's hello");
    const config = { ...given, ...this.#options.config };
    const services = await servicesOf(plugin, config);
    return new Router({ services, uses: plugin.uses, grants: "all", config });
  }

  #find(name: string): PluginDefinition {
    const names = [...this.#plugins.keys()].join(", ");
    const found = name === "" && this.#plugins.size === 1 ? this.#any : this.#plugins.get(name);
    if (found !== undefined) return found;
    if (name !== "")
      throw new AnyplugError(Code.NotFound, `there is no plugin "${name}" at this address; it has ${names}`);
    const message = `this address has ${this.#plugins.size} plugins (${names}): name one behind it, as in unix:/run/plugins.sock#name`;
    throw new AnyplugError(Code.InvalidArgument, message);
  }
}

/** Lets the calls of a connection end, and then ends it. */
async function end(channel: PipeChannel, connection: Connection | undefined, drainTimeoutMs: number): Promise<void> {
  if (connection === undefined) return channel.abandon();
  await within(connection.drain(), drainTimeoutMs);
  connection.end(new AnyplugError(Code.Unavailable, "the plugin's server was closed"));
  await within(channel.closed, lingerMs);
  channel.abandon();
}

async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}

function report(reason: AnyplugError): void {
  printRecord({
    level: "warn",
    message: `a host was turned away: ${reason}`,
    logger: "",
    timeMs: Date.now(),
    fields: {},
  });
}
