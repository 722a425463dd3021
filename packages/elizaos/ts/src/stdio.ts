/** A program that is a plugin of a host that speaks ElizaOS's line protocols on its standard streams. */

import type { Readable, Writable } from "node:stream";
import { type AgentPluginDefinition, AgentRuntime, localPeer } from "@anyplug/contracts/agent";
import { LineServer, type ServeOptions } from "./serve.js";

/** How the program's plugin is served. */
export interface StdioOptions extends Omit<ServeOptions, "write"> {
  /** Where the host's lines come from. Default: standard input. */
  readonly input?: Readable | undefined;
  /** Where the answers go. Default: standard output; what the program prints by `console` goes to standard error then. */
  readonly output?: Writable | undefined;
}

/**
 * Serves a plugin until the host closes the input, and all that it asked is answered.
 *
 * ```ts
 * await serveElizaos({ name: "weather", actions: [{ name: "FORECAST", handler: () => ({ success: true, text: "Rain." }) }] });
 * ```
 *
 * Such a host offers nothing to its plugins: the plugin's agent has no settings and no other plugins, and forgets when the program ends.
 */
export async function serveElizaos(definition: AgentPluginDefinition, options: StdioOptions = {}): Promise<void> {
  const { input = process.stdin, output = process.stdout, ...rest } = options;
  if (output === process.stdout) for (const name of ["log", "info", "debug"] as const) console[name] = console.error;
  // Who does not listen any more has closed the input, too.
  output.on("error", () => {});
  const agent = new AgentRuntime({ name: "elizaos" });
  const peer = localPeer(definition, agent, (error) => console.error(error));
  const server = await LineServer.start(peer, { ...rest, write: (bytes) => void output.write(bytes) });
  for await (const bytes of input) server.data(bytes as Uint8Array);
  await server.drain();
}
