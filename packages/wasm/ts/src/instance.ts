/** A plugin in this process: from its module to its end. */

import { AnyplugError, Code, type Hello } from "@anyplug/core";
import { connectPlugin, explained, type HostingOptions, negotiateAll, within } from "@anyplug/core/transports";
import { GuestChannel } from "./channel.js";
import { pluginModule } from "./check.js";
import { adopt, type Compiled, compile } from "./compile.js";
import { enforcedBy, type WasmOptions, wasmLimits } from "./limits.js";
import { type Member, WasmLink } from "./link.js";
import { readSource, type WasmSource } from "./source.js";

/** What is needed to make a plugin of a module. */
export interface InstanceOptions extends HostingOptions {
  readonly wasm?: WasmOptions | undefined;
  /** What the module is called in errors, such as its path. */
  readonly place: string;
}

/** A loaded module with its instances. */
export class WasmInstance {
  readonly link: WasmLink;
  /** What the module's section says. */
  readonly hello: Hello;
  /** The limits that hold, each with how. */
  readonly enforced: readonly string[];
  readonly #drainTimeoutMs: number;
  #closing: Promise<void> | undefined;

  private constructor(
    link: WasmLink,
    { about, isInstrumented }: Compiled<Hello>,
    { drainTimeoutMs, wasm }: InstanceOptions,
  ) {
    this.link = link;
    this.hello = about;
    this.enforced = enforcedBy(isInstrumented, wasmLimits(wasm));
    this.#drainTimeoutMs = drainTimeoutMs;
  }

  /**
   * Loads a module, and returns it when calls can be made and the schemas fit.
   *
   * @throws AnyplugError (rejects) INVALID_ARGUMENT when it is no module, FAILED_PRECONDITION when it is no plugin for this host or its schemas do not fit, RESOURCE_EXHAUSTED
   * when it is over a limit, DEADLINE_EXCEEDED when the time is over, CANCELLED when the signal was aborted, and the plugin's own when it refuses to start.
   */
  static async start(source: WasmSource, options: InstanceOptions): Promise<WasmInstance> {
    const { startTimeoutMs, signal } = options;
    let link: WasmLink | undefined;
    const late = (name = options.place) =>
      new AnyplugError(Code.DeadlineExceeded, `plugin "${name}" was not ready within ${startTimeoutMs} ms`);
    try {
      return await within(
        WasmInstance.#start(source, options, (made) => {
          link = made;
        }),
        startTimeoutMs,
        signal,
        late,
      );
    } catch (error) {
      link?.end(new AnyplugError(Code.Unavailable, "it did not start"));
      throw error;
    }
  }

  static async #start(
    source: WasmSource,
    options: InstanceOptions,
    onLink: (link: WasmLink) => void,
  ): Promise<WasmInstance> {
    const { place } = options;
    const limits = wasmLimits(options.wasm);
    const read = await readSource(source, limits, place);
    const compiled =
      read instanceof WebAssembly.Module
        ? adopt(read, pluginModule, limits, place)
        : await compile(read, pluginModule, limits, place);
    const link = new WasmLink(() => connect(compiled, options), limits.instances);
    onLink(link);
    await link.opened;
    await link.ping().catch((error: unknown) => {
      throw explained(error, `plugin "${compiled.about.name}" refused to start`);
    });
    await negotiateAll(link, options.expect);
    return new WasmInstance(link, compiled, options);
  }

  /** Lets calls in flight end, and then ends the plugin. Calling it again waits for the same end. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // Calls that take longer end with the link.
    await within(this.link.drain(), this.#drainTimeoutMs).catch(() => {});
    this.link.end(new AnyplugError(Code.Unavailable, `plugin "${this.hello.name}" was closed`));
  }
}

/** Makes an instance of the module, and a connection to it. @throws AnyplugError when it failed. */
function connect(compiled: Compiled<Hello>, options: InstanceOptions): Member {
  const { wasm, onLog, startTimeoutMs } = options;
  const channel = new GuestChannel(compiled, wasmLimits(wasm), performance.now() + startTimeoutMs, onLog);
  const connection = connectPlugin(channel, options);
  channel.isReady = true;
  const hello = compiled.about;
  const check = () => {
    const { peer } = connection;
    if (peer === undefined || (peer.name === hello.name && peer.version === hello.version)) return undefined;
    const said = `its section says "${hello.name}" ${hello.version}, its hello "${peer.name}" ${peer.version}`;
    const reason = new AnyplugError(Code.FailedPrecondition, `plugin "${hello.name}" says two things: ${said}`);
    connection.close(reason);
    return reason;
  };
  const lie = check();
  if (lie !== undefined) throw lie;
  // A guest that takes its time to say hello is asked when it has.
  connection.opened.then(check, () => {});
  return {
    connection,
    get ended() {
      return channel.ended;
    },
  };
}
