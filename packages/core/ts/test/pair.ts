/** A host and a plugin, connected in memory. */

import { Connection, type ConnectionOptions } from "../src/connection.js";
import { Router } from "../src/router.js";
import type { Setup } from "./behaviours.js";
import { type MemoryChannel, memoryChannels } from "./memory.js";

export interface Pair {
  readonly host: Connection;
  readonly plugin: Connection;
  /** The ends of the channel: the host's and the plugin's. */
  readonly channels: readonly [MemoryChannel, MemoryChannel];
}

/** What a test says beside its handlers. */
export interface PairOptions {
  readonly hostLimits?: ConnectionOptions["limits"];
  readonly pluginLimits?: ConnectionOptions["limits"];
  readonly highWaterBytes?: number;
}

export function connectInMemory(setup: Setup, options: PairOptions = {}): Pair {
  const channels = memoryChannels(options.highWaterBytes);
  const { grants, onError, onLog, config } = setup;
  const host = new Connection(channels[0], {
    role: "host",
    name: "test-host",
    version: "1.0.0",
    limits: options.hostLimits,
    router: new Router({ services: setup.host, grants, onError }),
    onLog,
  });
  const plugin = new Connection(channels[1], {
    role: "plugin",
    name: "test-plugin",
    version: "1.0.0",
    limits: options.pluginLimits,
    router: new Router({ services: setup.plugin, grants: "all", onError, config }),
  });
  return { host, plugin, channels };
}
