/** The database as a plugin: each one that is loaded begins empty. */

import { InMemoryDb } from "@anyplug/generated/inmemorydb/v1/inmemorydb_anyplug.js";
import { definePlugin, implement, type PluginDefinition } from "@anyplug/sdk";
import { Database } from "./database.js";

/** The plugin. It has no configuration. */
export const plugin: PluginDefinition = definePlugin({
  name: "inmemorydb",
  version: "0.1.0",
  services: () => [implement(InMemoryDb, new Database())],
});
