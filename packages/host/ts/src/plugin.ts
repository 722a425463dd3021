/** A loaded plugin. */

import {
  type AnyplugError,
  createSyncClient,
  type Link,
  type ServiceDescriptor,
  type SyncClientOf,
} from "@anyplug/core";
import type { Instance } from "./instance.js";
import type { Manifest } from "./manifest.js";
import type { TransportName } from "./options.js";

/** A loaded plugin. It lives until it is closed, or ends by itself. */
export class Plugin implements AsyncDisposable {
  /** Its name, as it says. */
  readonly name: string;
  /** Its version, as it says. */
  readonly version: string;
  /** Its plugin.json; of a plugin at an address, what it says of itself. */
  readonly manifest: Manifest;
  /** How it is reached. */
  readonly transport: TransportName;
  /** Resolves when the plugin has ended, by whatever cause; gives the reason. Never rejects. */
  readonly closed: Promise<AnyplugError>;
  readonly #instance: Instance;

  /** Made by `loadPlugin`. */
  constructor(
    instance: Instance,
    peer: { name: string; version: string },
    manifest: Manifest,
    transport: TransportName,
  ) {
    this.#instance = instance;
    this.name = peer.name;
    this.version = peer.version;
    this.manifest = manifest;
    this.transport = transport;
    this.closed = instance.link.closed;
  }

  /** What carries the calls. */
  get link(): Link {
    return this.#instance.link;
  }

  /** Returns a typed client of one of its services. The schemas are compared before its first call. */
  client<Client>(service: ServiceDescriptor<Client, unknown>): Client {
    return this.#instance.link.client(service);
  }

  /**
   * Returns a client whose unary methods return their response, for a plugin over transport "wasm" or "ffi". A method that cannot be answered at once, and every one over another transport,
   * throws FAILED_PRECONDITION.
   *
   * ```ts
   * const { text } = plugin.syncClient(Eliza).reply({ text: "Men are all alike." });
   * ```
   */
  syncClient<Client>(service: ServiceDescriptor<Client, unknown>): SyncClientOf<Client> {
    return createSyncClient(service, this.#instance.link);
  }

  /** The limits that hold for a plugin over transport "wasm", each with how: "callTimeout: instrumented". */
  get enforced(): readonly string[] {
    return this.#instance.enforced ?? [];
  }

  /**
   * Closes the plugin: new calls are refused, those in flight may end (for 5 s, unless the options say otherwise), then the plugin is told to end, and made to after 1 s
   * more by TERM, after 2 s more by KILL. Closing it again waits for the same end.
   */
  close(): Promise<void> {
    return this.#instance.close();
  }

  /** `await using plugin = await loadPlugin(…)` closes it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
