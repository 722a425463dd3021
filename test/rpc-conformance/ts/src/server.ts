/**
 * The server under test: `node server.js TRANSPORT`. It tells the runner where the client finds the plugin: an address, at which this
 * program serves it, or the file from which the client starts it.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { listen } from "@anyplug/sdk";
import { readMessages, writeMessage } from "./delimited.js";
import { ServerCompatRequest, ServerCompatResponse } from "./generated/connectrpc/conformance/v1/server_compat.js";
import { maxMessageBytes, plugin } from "./plugin.js";

const [transport = ""] = process.argv.slice(2);
const certificates = join(import.meta.dirname, "../../../certificates");
const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();
const ended = new Promise<void>((resolve) => {
  // Who only listens for a signal is not kept running.
  const running = setInterval(() => {}, 1 << 30);
  process.once("SIGTERM", () => {
    clearInterval(running);
    resolve();
  });
});

for await (const message of readMessages()) {
  const request = ServerCompatRequest.decode(message);
  if (request.messageReceiveLimit !== maxMessageBytes) throw new Error(`a limit of ${request.messageReceiveLimit}`);
  await (request.useTls ? serveTls(request) : serve());
  break;
}

async function serve(): Promise<void> {
  if (transport === "unix") {
    const folder = mkdtempSync(join(tmpdir(), "anyplug-rpc-conformance-"));
    await serveAt(`unix:${join(folder, "plugin.sock")}`);
    rmSync(folder, { recursive: true });
  } else if (transport === "tcp") await serveAt("tcp://127.0.0.1:0");
  else {
    report(fileURLToPath(new URL("plugin.js", import.meta.url)));
    await ended;
  }
}

/** Both sides always show a certificate; the runner gives one to the server, and where the suite is about that, one to the client. */
async function serveTls({ serverCreds, clientTlsCert }: ServerCompatRequest): Promise<void> {
  const certificate = text(serverCreds?.cert);
  const ca = clientTlsCert.length > 0 ? text(clientTlsCert) : join(certificates, "authority.pem");
  await serveAt("tls://127.0.0.1:0", { certificate, key: text(serverCreds?.key), ca });
}

async function serveAt(address: string, tls?: { certificate: string; key: string; ca: string }): Promise<void> {
  await using server = await listen(plugin, { listen: address, tls });
  report(server.address, tls?.certificate);
  await ended;
}

function report(host: string, certificate = ""): void {
  // The runner wants a port; that of an address is part of it.
  writeMessage(ServerCompatResponse.encode({ host, port: 1, pemCert: Buffer.from(certificate) }).finish());
}
