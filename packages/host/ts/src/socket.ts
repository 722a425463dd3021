/** A plugin that is served on a socket. */

import { AnyplugError, Code, Connection, Router } from "@anyplug/core";
import { explained, negotiateAll } from "@anyplug/core/transports";
import { type Address, connectSocket, formatAddress } from "@anyplug/ipc";
import { Manifest } from "@anyplug/protocol/anyplug/plugin/v1/manifest.js";
import { type Instance, wasClosed } from "./instance.js";
import { defaultDrainTimeoutMs, defaultStartTimeoutMs, type LoadOptions } from "./options.js";
import { checkConfigLength, failureLog, hostName } from "./plan.js";
import { backoffOf, ReconnectingLink } from "./reconnect.js";
import { withinTime } from "./time.js";

/** A plugin behind an address, and the link to it, which is made again when it is lost. */
export class SocketInstance implements Instance {
  readonly link: ReconnectingLink;
  readonly #name: string;
  readonly #drainTimeoutMs: number;
  #closing: Promise<void> | undefined;

  private constructor(link: ReconnectingLink, name: string, options: LoadOptions) {
    this.link = link;
    this.#name = name;
    this.#drainTimeoutMs = options.drainTimeoutMs ?? defaultDrainTimeoutMs;
  }

  /**
   * Connects to the plugin, and returns it when calls can be made and the schemas fit.
   *
   * @throws AnyplugError as `connectSocket`; INVALID_ARGUMENT for an option that is for other transports; the plugin's own when it refuses, DEADLINE_EXCEEDED when the time is
   * over, FAILED_PRECONDITION for another protocol or schema, CANCELLED when the signal was aborted.
   */
  static async start(address: Address, options: LoadOptions): Promise<{ instance: Instance; manifest: Manifest }> {
    checkOptions(address, options);
    const first = await dial(address, options, options.signal);
    const { peer } = first;
    if (peer === undefined) throw new AnyplugError(Code.Internal, "a connection that is open has no hello");
    const name = peer.name;
    const link = new ReconnectingLink(first, {
      dial: async (signal) => {
        const next = await dial(address, options, signal);
        if (next.peer?.name === name) return next;
        next.close();
        const message = `${formatAddress(address)} is plugin "${next.peer?.name}" now, and was "${name}"`;
        throw new AnyplugError(Code.FailedPrecondition, message);
      },
      backoff: backoffOf(options.reconnect),
      onLog: options.onLog,
    });
    return { instance: new SocketInstance(link, name, options), manifest: manifestOf(first, address) };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // Calls that take longer end with the link.
    await withinTime(this.link.drain(), this.#drainTimeoutMs).catch(() => {});
    this.link.end(wasClosed(this.#name));
    await this.link.closed;
  }
}

/** Makes one connection, on which calls can be made. */
async function dial(address: Address, options: LoadOptions, signal: AbortSignal | undefined): Promise<Connection> {
  const { startTimeoutMs = defaultStartTimeoutMs } = options;
  const giveUp = new AbortController();
  const late = () => {
    const message = `plugin at ${formatAddress(address)} was not ready within ${startTimeoutMs} ms`;
    return new AnyplugError(Code.DeadlineExceeded, message);
  };
  const opening = open(address, options, giveUp.signal);
  try {
    return await withinTime(opening, startTimeoutMs, signal, late);
  } catch (error) {
    giveUp.abort();
    // Should it have come to something meanwhile.
    opening.then(
      (connection) => connection.close(),
      () => {},
    );
    throw error;
  }
}

async function open(address: Address, options: LoadOptions, signal: AbortSignal): Promise<Connection> {
  const { tls, allowPlaintext, services, expect = [], grants = [], limits, onLog, config = {} } = options;
  const router = new Router({ services, uses: expect, grants, onError: failureLog(onLog) });
  const channel = await connectSocket(address, { tls, allowPlaintext, signal });
  const connection = new Connection(channel, {
    role: "host",
    name: hostName(options),
    version: "",
    limits,
    router,
    onLog,
    plugin: address.plugin,
    config: Object.keys(config).length === 0 ? "" : JSON.stringify(config),
  });
  const abandon = () => channel.abandon();
  signal.addEventListener("abort", abandon);
  try {
    await connection.opened.catch((error: unknown) => {
      const where = `plugin at ${formatAddress(address)}`;
      // Not every TLS library tells its peer why.
      const hint = address.kind === "tls" ? " that may not accept this host's certificate" : "";
      throw explained(error, where + hint);
    });
    // A plugin that refuses to start says so right behind its hello: once it has answered, it does not.
    await connection.ping().catch(async () => {
      throw explained(await connection.closed, `plugin "${connection.peer?.name}" refused to start`);
    });
    await negotiateAll(connection, expect);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    signal.removeEventListener("abort", abandon);
  }
}

export function checkOptions(address: Address, options: LoadOptions): void {
  const where = formatAddress(address);
  const { transport = address.kind, env = {}, config = {} } = options;
  if (transport !== address.kind) {
    throw new AnyplugError(
      Code.InvalidArgument,
      `transport: ${where} is reached by "${address.kind}", not by "${transport}"`,
    );
  }
  if (Object.keys(env).length > 0) {
    throw new AnyplugError(Code.InvalidArgument, `env: ${where} is not started by this host; give it config instead`);
  }
  checkConfigLength(JSON.stringify(config), address.plugin || where);
}

/** What plugin.json would say, as far as the plugin says it itself. */
function manifestOf({ peer }: Connection, { kind }: Address): Manifest {
  const [language = ""] = peer?.runtime.split(" ") ?? [];
  const offers = peer?.services.map(({ name }) => name).slice(1) ?? [];
  return Manifest.fromPartial({
    name: peer?.name ?? "",
    version: peer?.version ?? "",
    language: ["typescript", "python", "rust"].includes(language) ? language : "",
    offers,
    transports: [kind],
  });
}
