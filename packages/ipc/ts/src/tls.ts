/** Mutual TLS 1.3: both sides show a certificate of the same authority. */

import { readFileSync } from "node:fs";
import { connect, type SecureContextOptions } from "node:tls";
import { AnyplugError, Code } from "@anyplug/core";
import type { Address } from "./address.js";
import { type ConnectOptions, connected, described, keepAliveMs } from "./connect.js";
import { dataInput, type PipeInput } from "./pipe.js";

/** The certificates of one side. Each is PEM, or the path of a file that holds it. */
export interface TlsOptions {
  /** This side's certificate, with those between it and the authority. */
  readonly certificate: string;
  /** The key of the certificate. */
  readonly key: string;
  /** The authority that the peer's certificate has to be of. */
  readonly ca: string;
  /** The name that the certificate of a plugin has to bear. Default: the host of the address. */
  readonly serverName?: string | undefined;
}

/**
 * Returns the certificates as TLS takes them.
 *
 * @throws AnyplugError INVALID_ARGUMENT when they are missing or a file cannot be read.
 */
export function secureOptions(tls: TlsOptions | undefined): SecureContextOptions {
  if (tls === undefined) {
    throw new AnyplugError(
      Code.InvalidArgument,
      "tls:// needs certificates: expected tls with certificate, key and ca",
    );
  }
  const [cert, key, ca] = (["certificate", "key", "ca"] as const).map((member) => pem(tls[member], `tls.${member}`));
  return { cert, key, ca, minVersion: "TLSv1.3" };
}

function pem(value: string, member: string): string {
  if (value.includes("-----BEGIN ")) return value;
  let text: string;
  try {
    text = readFileSync(value, "utf8");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AnyplugError(Code.InvalidArgument, `${member}: expected PEM or the path of such a file: ${why}`, {
      cause,
    });
  }
  if (text.includes("-----BEGIN ")) return text;
  throw new AnyplugError(Code.InvalidArgument, `${member}: expected PEM in ${value}`);
}

/** Connects by TLS. Throws as `connectSocket`. */
export async function connectTls(
  address: Extract<Address, { host: string }>,
  { tls, signal }: ConnectOptions,
): Promise<PipeInput> {
  const secure = secureOptions(tls);
  const { host, port } = address;
  let socket: ReturnType<typeof connect>;
  try {
    const name = tls?.serverName === undefined ? {} : { servername: tls.serverName };
    socket = connect({ ...secure, ...name, host, port });
  } catch (cause) {
    throw badCertificates(cause);
  }
  try {
    await connected(socket, "secureConnect", address, signal);
  } catch (error) {
    socket.destroy();
    throw described(error, address);
  }
  socket.setNoDelay(true).setKeepAlive(true, keepAliveMs);
  return dataInput(socket);
}

/** The error of certificates or a key that are none, or do not belong together. */
export function badCertificates(cause: unknown): AnyplugError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new AnyplugError(Code.InvalidArgument, `tls: the certificates cannot be used: ${why}`, { cause });
}
