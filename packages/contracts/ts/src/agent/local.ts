/** A plugin that is defined in the agent's own program. */

import { type Implementation, type LogRecord, Router, type RouterOptions } from "@anyplug/core";
import { connectDirect } from "@anyplug/direct";
import { type AgentPluginDefinition, agentPlugin } from "./define.js";
import type { AgentPeer } from "./registration.js";

/** Connects a definition to the services of its agent. It is the program's own code, and may call all of them. What it throws is given to `onError`, and what it logs to `onLog`. */
export function localPeer(
  definition: AgentPluginDefinition,
  agent: { readonly name: string; readonly services: readonly Implementation[] },
  onError: NonNullable<RouterOptions["onError"]>,
  onLog?: (record: LogRecord) => void,
): AgentPeer {
  return connectDirect({
    onLog,
    host: { name: agent.name, version: "", router: new Router({ services: agent.services, grants: "all", onError }) },
    plugin: {
      name: definition.name,
      version: "",
      router: new Router({ services: [agentPlugin(definition)], grants: "all", onError }),
    },
  });
}
