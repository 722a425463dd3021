/** The suite's service as a plugin. */

import { definePlugin, implement, type PluginDefinition } from "@anyplug/sdk";
import { Conformance } from "./generated/connectrpc/conformance/v1/service_anyplug.js";
import { ConformanceService } from "./service.js";

/** What the runner asks of every server. */
export const maxMessageBytes = 200 * 1024;

/** The plugin. */
export const plugin: PluginDefinition = definePlugin({
  name: "rpc-conformance",
  version: "0.1.0",
  services: [implement(Conformance, new ConformanceService())],
  limits: { maxMessageBytes },
});
