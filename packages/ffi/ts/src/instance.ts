/** A plugin as a shared library: from its file to its end. */

import { AnyplugError, Code, type Connection, type Hello } from "@anyplug/core";
import { connectPlugin, explained, type HostingOptions, negotiateAll, within } from "@anyplug/core/transports";
import { FfiChannel } from "./channel.js";
import { refused, wasClosed } from "./failure.js";
import { Library } from "./library.js";

/** A loaded library with its instance. */
export class FfiInstance {
  readonly link: Connection;
  /** What the library's table says. */
  readonly hello: Hello;
  /** What keeps the plugin from doing what it likes: nothing. */
  readonly enforced: readonly string[] = ["isolation: none"];
  readonly #library: Library;
  readonly #channel: FfiChannel;
  readonly #options: HostingOptions;
  /** Resolves when the instance has ended, and its library is let go. */
  readonly #ended: Promise<void>;
  #isStarting = true;
  #closing: Promise<void> | undefined;

  private constructor(library: Library, options: HostingOptions) {
    this.#library = library;
    this.#options = options;
    this.hello = library.hello;
    this.#channel = new FfiChannel({
      library,
      onLog: options.onLog,
      maxMessageBytes: () => this.link.limits.maxMessageBytes,
      isBusy: () => this.#isStarting || this.link.openCalls > 0,
    });
    this.link = connectPlugin(this.#channel, options);
    this.#ended = this.#end();
  }

  /**
   * Loads a library, and returns it when calls can be made and the schemas fit.
   *
   * @throws AnyplugError (rejects) INVALID_ARGUMENT when it is no shared library, FAILED_PRECONDITION when it is no plugin for this host or its schemas do not fit,
   * DEADLINE_EXCEEDED when the time is over, CANCELLED when the signal was aborted, and the plugin's own when it refuses to start.
   */
  static async start(path: string, options: HostingOptions): Promise<FfiInstance> {
    const { startTimeoutMs, signal } = options;
    const library = await Library.load(path);
    const { name } = library.hello;
    let instance: FfiInstance;
    try {
      instance = new FfiInstance(library, options);
    } catch (error) {
      library.unload();
      throw AnyplugError.from(error);
    }
    const late = () =>
      new AnyplugError(Code.DeadlineExceeded, `plugin "${name}" was not ready within ${startTimeoutMs} ms`);
    try {
      await within(instance.#open(), startTimeoutMs, signal, late);
      return instance;
    } catch (error) {
      instance.link.end(new AnyplugError(Code.Unavailable, "it did not start"));
      await instance.#ended;
      throw error;
    } finally {
      instance.#isStarting = false;
      instance.#channel.review();
    }
  }

  /** Lets calls in flight end, then ends the plugin, and lets the library go. Calling it again waits for the same end. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #open(): Promise<void> {
    const { link, hello } = this;
    const peer = await link.opened;
    if (peer.name !== hello.name || peer.version !== hello.version) {
      const said = `its hello says that it is "${peer.name}" ${peer.version}`;
      throw refused(`plugin "${hello.name}" ${hello.version}:`, said);
    }
    // A plugin that refuses to start says so right behind its hello: once it has answered, it does not.
    await link.ping().catch(async () => {
      throw explained(await link.closed, `plugin "${hello.name}" refused to start`);
    });
    await negotiateAll(link, this.#options.expect);
  }

  async #close(): Promise<void> {
    // Calls that take longer end with the connection.
    await within(this.link.drain(), this.#options.drainTimeoutMs).catch(() => {});
    this.link.end(wasClosed(this.hello.name));
    await this.#ended;
  }

  /** However the connection ends, the instance ends too. */
  async #end(): Promise<void> {
    await this.link.closed;
    if (await this.#channel.guest.close()) this.#library.unload();
  }
}
