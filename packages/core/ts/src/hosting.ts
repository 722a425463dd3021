/** A host's side of a plugin that it loads. */

import type { Channel } from "./channel.js";
import { Connection } from "./connection.js";
import type { ServiceDescriptor } from "./descriptor.js";
import { AnyplugError } from "./error.js";
import type { LimitOptions } from "./limits.js";
import type { LogRecord } from "./log.js";
import type { Router } from "./router.js";

/** What a host says of a plugin that is loaded into its process. */
export interface HostingOptions {
  /** The name that the plugin sees of this host. */
  readonly hostName: string;
  /** What this side serves. */
  readonly router: Router;
  readonly limits?: LimitOptions | undefined;
  /** Services that the plugin must serve, in schemas that fit. */
  readonly expect?: readonly ServiceDescriptor[] | undefined;
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  readonly onLog?: ((record: LogRecord) => void) | undefined;
  readonly startTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Begins to talk with the plugin behind a channel. @throws AnyplugError as `Connection`. */
export function connectPlugin(channel: Channel, options: HostingOptions): Connection {
  const { hostName, router, limits, onLog, config = {} } = options;
  return new Connection(channel, {
    role: "host",
    name: hostName,
    version: "",
    limits,
    router,
    onLog,
    config: Object.keys(config).length === 0 ? "" : JSON.stringify(config),
  });
}

/** Compares the schemas of what either side wants of the other. @throws AnyplugError (rejects) FAILED_PRECONDITION when they do not fit. */
export async function negotiateAll(
  link: Pick<Connection, "negotiate" | "negotiateUses">,
  expect: readonly ServiceDescriptor[] = [],
): Promise<void> {
  for (const service of expect) await link.negotiate(service);
  await link.negotiateUses();
}

/** An error with what it came of: `what: message`. */
export function explained(error: unknown, what: string): AnyplugError {
  const { code, message, details } = AnyplugError.from(error);
  return new AnyplugError(code, `${what}: ${message}`, { details, cause: error });
}
