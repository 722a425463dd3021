/** The client under test: `node client.js TRANSPORT`. It makes the calls that the runner asks for, all at once, and reports how each ended. */

import { join } from "node:path";
import process from "node:process";
import { type LoadOptions, loadPlugin, type Plugin } from "anyplug";
import { makeCall } from "./call.js";
import { readMessages, writeMessage } from "./delimited.js";
import { ClientCompatRequest, ClientCompatResponse } from "./generated/connectrpc/conformance/v1/client_compat.js";
import { Conformance } from "./generated/connectrpc/conformance/v1/service_anyplug.js";

const transport = process.argv[2] as LoadOptions["transport"];
const certificates = join(import.meta.dirname, "../../../certificates");
const plugins = new Map<string, Promise<Plugin>>();
const calls: Promise<void>[] = [];

for await (const message of readMessages()) calls.push(answer(ClientCompatRequest.decode(message)));
await Promise.all(calls);
for (const plugin of plugins.values()) await (await plugin).close();

async function answer(request: ClientCompatRequest): Promise<void> {
  const { testName } = request;
  const result = await resultOf(request);
  writeMessage(ClientCompatResponse.encode(ClientCompatResponse.fromPartial({ testName, result })).finish());
}

async function resultOf(request: ClientCompatRequest): Promise<NonNullable<ClientCompatResponse["result"]>> {
  try {
    const plugin = await load(request);
    return { $case: "response", response: await makeCall(plugin.client(Conformance), request) };
  } catch (error) {
    return { $case: "error", error: { message: String(error) } };
  }
}

/** One plugin for each server. */
function load({ host, serverTlsCert, clientTlsCreds, messageReceiveLimit }: ClientCompatRequest): Promise<Plugin> {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
  const key = `${host} ${clientTlsCreds === undefined}`;
  const known = plugins.get(key);
  if (known !== undefined) return known;
  const own =
    clientTlsCreds === undefined
      ? { certificate: join(certificates, "host.pem"), key: join(certificates, "host.key") }
      : { certificate: text(clientTlsCreds.cert), key: text(clientTlsCreds.key) };
  const isServed = host.includes(":");
  const plugin = loadPlugin(host, {
    transport: isServed ? undefined : transport,
    tls: serverTlsCert.length > 0 ? { ...own, ca: text(serverTlsCert) } : undefined,
    limits: { maxMessageBytes: messageReceiveLimit },
    startTimeoutMs: 30_000,
  });
  plugins.set(key, plugin);
  return plugin;
}
