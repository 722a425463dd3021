/** Where a program that no host started is to serve its plugins. */

import { configVariable, listenVariable } from "@anyplug/ipc";
import { parseConfig } from "./config.js";
import type { ListenOptions } from "./listen.js";

/**
 * Returns how to listen: what the options say, and where they say nothing, the environment. Undefined when neither names an address.
 *
 * @throws AnyplugError INVALID_ARGUMENT when ANYPLUG_CONFIG is no JSON object.
 */
export function surroundings(options: Partial<ListenOptions>, env = process.env): ListenOptions | undefined {
  const listen = options.listen ?? env[listenVariable];
  if (listen === undefined || listen === "") return undefined;
  const { ANYPLUG_TLS_CERTIFICATE: certificate, ANYPLUG_TLS_KEY: key, ANYPLUG_TLS_CA: ca } = env;
  const hasTls = certificate !== undefined && key !== undefined && ca !== undefined;
  const text = env[configVariable];
  return {
    ...options,
    listen,
    tls: options.tls ?? (hasTls ? { certificate, key, ca } : undefined),
    allowPlaintext: options.allowPlaintext ?? env["ANYPLUG_ALLOW_PLAINTEXT"] === "1",
    config: options.config ?? (text === undefined ? undefined : parseConfig(text, configVariable)),
  };
}
