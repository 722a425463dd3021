/** A plugin as a process: from its start to its end. */

import { AnyplugError, Code, Connection, type Link, type Router } from "@anyplug/core";
import { explained, negotiateAll } from "@anyplug/core/transports";
import { type PipeChannel, type PluginProcess, type ProcessOptions, processChannel, startProcess } from "@anyplug/ipc";
import { defaultDrainTimeoutMs, defaultStartTimeoutMs, type LoadOptions } from "./options.js";
import { hostName, hostRouter, type Plan, processOptions } from "./plan.js";
import { withinTime } from "./time.js";

/** What a loaded plugin is behind its handle. */
export interface Instance {
  readonly link: Link;
  /** The limits that hold for the plugin, each with how. */
  readonly enforced?: readonly string[] | undefined;
  /** Lets calls in flight end, and then ends the plugin. Calling it again waits for the same end. */
  close(): Promise<void>;
}

/** Why calls fail after `close`. */
export function wasClosed(name: string): AnyplugError {
  return new AnyplugError(Code.Unavailable, `plugin "${name}" was closed`);
}

/** A program that is no plugin by itself, and runs one. */
export interface Isolated {
  readonly process: ProcessOptions;
  /** The plugin's configuration, as JSON: it comes in the host's hello. Empty: none. */
  readonly config: string;
}

/** A plugin in a process of its own, with the connection to it. */
export class ProcessInstance implements Instance {
  readonly link: Connection;
  readonly enforced: readonly string[];
  readonly #process: PluginProcess;
  readonly #channel: PipeChannel;
  readonly #options: LoadOptions;
  /** Resolves when the process has ended. */
  readonly #ended: Promise<void>;
  #closing: Promise<void> | undefined;

  private constructor(process: PluginProcess, router: Router, plan: Plan, options: LoadOptions, isolated?: Isolated) {
    this.#process = process;
    this.#options = options;
    this.enforced = isolated === undefined ? [] : ["isolation: process"];
    this.#channel = processChannel(process, () => (this.link.peer === undefined ? " before its hello" : ""));
    this.link = new Connection(this.#channel, {
      role: "host",
      name: hostName(options),
      version: "",
      limits: plan.limits,
      router,
      onLog: options.onLog,
      config: isolated?.config,
    });
    this.#ended = this.#end();
  }

  /**
   * Starts the process, and returns it when calls can be made and the schemas fit.
   *
   * @param isolated what is started instead of the plugin's own program
   * @throws AnyplugError as `startProcess`; FAILED_PRECONDITION when the manifest names no command; UNAVAILABLE when the process ended, DEADLINE_EXCEEDED when the time is
   * over, the plugin's own when it refuses to start, FAILED_PRECONDITION for another protocol or schema, CANCELLED when the signal was aborted. The process is killed then.
   */
  static async start(plan: Plan, options: LoadOptions, isolated?: Isolated): Promise<ProcessInstance> {
    const router = hostRouter(plan, options);
    const process = await startProcess(isolated?.process ?? processOptions(plan, options));
    let instance: ProcessInstance | undefined;
    try {
      instance = new ProcessInstance(process, router, plan, options, isolated);
      await instance.#open();
      return instance;
    } catch (error) {
      process.kill();
      instance?.link.close();
      await process.exited;
      throw AnyplugError.from(error);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #open(): Promise<void> {
    const { startTimeoutMs = defaultStartTimeoutMs, signal } = this.#options;
    await withinTime(this.#opened(), startTimeoutMs, signal, () => this.#late(startTimeoutMs));
  }

  async #opened(): Promise<void> {
    try {
      await this.link.opened;
      // A plugin that refuses to start says so right behind its hello: once it has answered, it does not.
      await this.link.ping().catch(async () => {
        throw await this.link.closed;
      });
    } catch (error) {
      throw await this.#explain(AnyplugError.from(error));
    }
    await negotiateAll(this.link, this.#options.expect);
  }

  async #close(): Promise<void> {
    const { drainTimeoutMs = defaultDrainTimeoutMs } = this.#options;
    // Calls that take longer end with the connection.
    await withinTime(this.link.drain(), drainTimeoutMs).catch(() => {});
    this.link.end(wasClosed(this.#process.name));
    await this.#ended;
  }

  /** However the connection ends, the process ends too. */
  async #end(): Promise<void> {
    await this.link.closed;
    await this.#process.stop();
  }

  async #late(ms: number): Promise<AnyplugError> {
    const what = this.link.peer === undefined ? "sent no hello" : "did not answer after its hello";
    const lines = await this.#linesOfKilled();
    return new AnyplugError(Code.DeadlineExceeded, `plugin "${this.#process.name}" ${what} within ${ms} ms${lines}`);
  }

  /** Why calls cannot be made, with what is known of the process. */
  async #explain(error: AnyplugError): Promise<AnyplugError> {
    const { name } = this.#process;
    if (this.link.peer !== undefined) return explained(error, `plugin "${name}" refused to start`);
    if (this.#channel.lost !== undefined) return this.#channel.lost;
    const message = `plugin "${name}": ${error.message}${await this.#linesOfKilled()}`;
    return new AnyplugError(error.code, message, { cause: error });
  }

  /** What the process printed last. It is of no more use, and once it has ended, all that it printed has been read. */
  async #linesOfKilled(): Promise<string> {
    await this.#process.kill();
    return this.#process.lastLines();
  }
}
