/** A plugin that speaks JSON-RPC: a process, on its standard streams, or behind an address. */

import { AnyplugError, Code, Router } from "@anyplug/core";
import { connectDirect } from "@anyplug/direct";
import {
  type Address,
  connectSocket,
  formatAddress,
  jsonRpcPrefix,
  type PluginProcess,
  StreamChannel,
  startProcess,
} from "@anyplug/ipc";
import { JsonRpcLink, JsonRpcPeer } from "@anyplug/jsonrpc";
import { Manifest } from "@anyplug/protocol/anyplug/plugin/v1/manifest.js";
import { type Instance, wasClosed } from "./instance.js";
import { defaultDrainTimeoutMs, defaultStartTimeoutMs, type LoadOptions } from "./options.js";
import { hostName, hostRouter, type Plan, processOptions } from "./plan.js";
import { checkOptions } from "./socket.js";
import { withinTime } from "./time.js";

/** Milliseconds from the end of what a plugin writes to that of its process; one that takes longer is ended. */
const exitGraceMs = 5000;

/** A plugin behind JSON-RPC. */
export class JsonRpcInstance implements Instance {
  readonly link: JsonRpcLink;
  readonly #name: string;
  readonly #process: PluginProcess | undefined;
  readonly #drainTimeoutMs: number;
  #closing: Promise<void> | undefined;

  private constructor(link: JsonRpcLink, name: string, process: PluginProcess | undefined, options: LoadOptions) {
    this.link = link;
    this.#name = name;
    this.#process = process;
    this.#drainTimeoutMs = options.drainTimeoutMs ?? defaultDrainTimeoutMs;
  }

  /**
   * Starts the plugin's process. Whether it works, its first call shows: JSON-RPC has no hello.
   *
   * @throws AnyplugError as `startProcess`.
   */
  static async start(plan: Plan, options: LoadOptions): Promise<JsonRpcInstance> {
    const { name, version } = plan.manifest;
    const router = hostRouter(plan, options);
    const process = await startProcess({ ...processOptions(plan, options), stdio: "json-rpc" });
    const { input, output } = process.channel;
    const channel = new StreamChannel(input, output, {
      async whyEnded(cause) {
        process.printedAll();
        await process.endsWithin(exitGraceMs);
        return new AnyplugError(Code.Unavailable, `plugin "${name}" ${process.describe()}`, { cause });
      },
    });
    const peer = new JsonRpcPeer(channel, {
      served: served(router, name, options),
      limits: plan.limits,
      prints: true,
      onPrinted: (line) => process.printed(new TextEncoder().encode(`${line}\n`)),
      onLog: options.onLog,
    });
    const { onLog, limits } = { ...options, limits: plan.limits };
    const link = new JsonRpcLink(peer, { name, version, hostName: hostName(options), limits, onLog });
    void peer.closed.then(() => process.stop());
    return new JsonRpcInstance(link, name, process, options);
  }

  /**
   * Connects to a plugin.
   *
   * @throws AnyplugError as `connectSocket`; INVALID_ARGUMENT for an option that is for other transports.
   */
  static async connect(address: Address, options: LoadOptions): Promise<{ instance: Instance; manifest: Manifest }> {
    checkOptions(address, options);
    if (Object.keys(options.config ?? {}).length > 0) {
      const message = `config: ${jsonRpcPrefix}${formatAddress(address)} takes none: JSON-RPC has no way to tell it`;
      throw new AnyplugError(Code.InvalidArgument, message);
    }
    const { tls, allowPlaintext, startTimeoutMs = defaultStartTimeoutMs, signal, limits, onLog } = options;
    const name = address.plugin || `${jsonRpcPrefix}${formatAddress(address)}`;
    const giveUp = new AbortController();
    const late = () => {
      const message = `plugin at ${formatAddress(address)} was not connected within ${startTimeoutMs} ms`;
      return new AnyplugError(Code.DeadlineExceeded, message);
    };
    const connecting = connectSocket(address, { tls, allowPlaintext, signal: giveUp.signal });
    const channel = await withinTime(connecting, startTimeoutMs, signal, late).catch((error: unknown) => {
      giveUp.abort();
      connecting.then(
        (connected) => connected.abandon(),
        () => {},
      );
      throw error;
    });
    const peer = new JsonRpcPeer(channel, {
      served: served(hostRouter({ grants: options.grants ?? [] }, options), name, options),
      limits,
      onLog,
    });
    const link = new JsonRpcLink(peer, { name, version: "", hostName: hostName(options), limits, onLog });
    const manifest = Manifest.fromPartial({ name, transports: [address.kind] });
    return { instance: new JsonRpcInstance(link, name, undefined, options), manifest };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // Calls that take longer end with the link.
    await withinTime(this.link.drain(), this.#drainTimeoutMs).catch(() => {});
    this.link.close(wasClosed(this.#name));
    await this.link.closed;
    await this.#process?.stop();
  }
}

/** What the plugin may call of this host. */
function served(router: Router, plugin: string, options: LoadOptions) {
  const own = { name: hostName(options), version: "", router };
  const other = { name: plugin, version: "", router: new Router() };
  const services = (options.services ?? []).map(({ service }) => service);
  return { ...own, services, transport: connectDirect({ host: other, plugin: own, onLog: options.onLog }) };
}
