/** Loads a plugin that speaks ElizaOS's line protocol: starts it, and connects it to an agent. */

import type { AgentPlugin, AgentPluginDefinition } from "@anyplug/contracts/agent";
import { localPeer } from "@anyplug/contracts/agent";
import { AnyplugError, Code, type Implementation, type LogRecord } from "@anyplug/core";
import { type EnvironmentOptions, eventsOfATurn, type PluginProcess, startProcess } from "@anyplug/ipc";
import type { Dialect } from "./drive.js";
import { LinePeer } from "./peer.js";

/** How the plugin is started. */
export interface LineLoadOptions extends EnvironmentOptions {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** The working folder. Default: this process's. */
  readonly cwd?: string | undefined;
  /** Default: "messages". */
  readonly dialect?: Dialect | undefined;
  /** Milliseconds until the plugin must have said what it is. Default 30,000. */
  readonly startTimeoutMs?: number | undefined;
  readonly maxPendingRequests?: number | undefined;
  /** Bytes that a line may have. Default 10 MiB. */
  readonly maxMessageBytes?: number | undefined;
  readonly onLog?: ((record: LogRecord) => void) | undefined;
}

/** A loaded plugin: register it with an agent. */
export class LinePlugin implements AsyncDisposable {
  readonly definition: AgentPluginDefinition;
  readonly peer: LinePeer;
  /** Resolves with the reason when its process has ended. */
  readonly closed: Promise<AnyplugError>;
  readonly #process: PluginProcess;

  constructor(
    definition: AgentPluginDefinition,
    peer: LinePeer,
    process: PluginProcess,
    closed: Promise<AnyplugError>,
  ) {
    this.definition = definition;
    this.peer = peer;
    this.#process = process;
    this.closed = closed;
  }

  /** Returns the plugin as an agent registers it. */
  for(agent: { readonly name: string; readonly services: readonly Implementation[] }): AgentPlugin {
    const link = localPeer(this.definition, agent, () => {});
    return { client: (service) => link.client(service), closed: this.closed };
  }

  /** Ends the process: it is given time to end by itself when its input ends. */
  async close(): Promise<void> {
    this.#process.channel.output.end();
    await this.#process.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Starts a plugin that speaks ElizaOS's line protocol on its standard streams.
 *
 * @throws AnyplugError (rejects) as `startProcess`; UNAVAILABLE at once when it ends before it is ready, DEADLINE_EXCEEDED when it is not in time.
 */
export async function loadLinePlugin(options: LineLoadOptions): Promise<LinePlugin> {
  const { command, cwd = process.cwd(), startTimeoutMs = 30_000, onLog } = options;
  const name = command.join(" ");
  const child = await startProcess({
    name,
    command,
    cwd,
    stdio: true,
    env: options.env,
    inheritEnv: options.inheritEnv,
    envDenylist: options.envDenylist,
    onLine: (_, message) => onLog?.({ level: "warn", message, logger: "stderr", timeMs: Date.now(), fields: {} }),
  });
  const { input, output } = child.channel;
  const peer = new LinePeer({
    ...options,
    write: (bytes) => void output.write(bytes),
    onFailure: (error) => {
      peer.ended(error);
      child.kill();
    },
  });
  output.on("error", () => {});
  input.on("error", () => {});
  input.on("data", (bytes: Buffer) => peer.data(bytes));
  const closed = child.exited.then(async () => {
    // What it wrote before its end is read first; a child of its own may hold its output open.
    for (let before = -1; before !== input.bytesRead && !input.destroyed; ) {
      before = input.bytesRead;
      await eventsOfATurn();
    }
    const reason = new AnyplugError(Code.Unavailable, `plugin "${name}" ${child.describe()}`);
    peer.ended(reason);
    return reason;
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `plugin "${name}" was not ready within ${startTimeoutMs} ms`;
    timer = setTimeout(() => reject(new AnyplugError(Code.DeadlineExceeded, message)), startTimeoutMs);
  });
  try {
    return new LinePlugin(await Promise.race([peer.plugin(), late]), peer, child, closed);
  } catch (error) {
    await child.kill();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
