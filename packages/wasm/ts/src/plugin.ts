/** A loaded plugin. */

import {
  type AnyplugError,
  createSyncClient,
  type Link,
  type ServiceDescriptor,
  type SyncClientOf,
} from "@anyplug/core";
import type { WasmInstance } from "./instance.js";

/** A loaded plugin. It lives until it is closed. */
export class WasmPlugin implements AsyncDisposable {
  /** Its name, as it says. */
  readonly name: string;
  /** Its version, as it says. */
  readonly version: string;
  /** How it is reached. */
  readonly transport = "wasm";
  /** Resolves when the plugin has been closed; gives the reason. Never rejects. */
  readonly closed: Promise<AnyplugError>;
  readonly #instance: WasmInstance;

  /** Made by `loadWasm`. */
  constructor(instance: WasmInstance) {
    this.#instance = instance;
    this.name = instance.hello.name;
    this.version = instance.hello.version;
    this.closed = instance.link.closed;
  }

  /** What carries the calls. */
  get link(): Link {
    return this.#instance.link;
  }

  /** The limits that hold, each with how: "callTimeout: instrumented". */
  get enforced(): readonly string[] {
    return this.#instance.enforced;
  }

  /** Returns a typed client of one of its services. The schemas are compared before its first call. */
  client<Client>(service: ServiceDescriptor<Client, unknown>): Client {
    return this.#instance.link.client(service);
  }

  /** Returns a client whose unary methods return their response at once. One that the plugin cannot answer at once throws FAILED_PRECONDITION. */
  syncClient<Client>(service: ServiceDescriptor<Client, unknown>): SyncClientOf<Client> {
    return createSyncClient(service, this.#instance.link);
  }

  /** Closes the plugin: new calls are refused, those in flight may end (for 5 s, unless the options say otherwise). Closing it again waits for the same end. */
  close(): Promise<void> {
    return this.#instance.close();
  }

  /** `await using plugin = await loadWasm(…)` closes it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
