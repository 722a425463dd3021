/** Listens for hosts. */

import { chmodSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { AnyplugError, Code } from "@anyplug/core";
import { type Address, checkPlaintext, formatAddress } from "./address.js";
import { claimSocketFile, privately } from "./claim.js";
import { keepAliveMs } from "./connect.js";
import { checkPeer, loadCredentials } from "./credentials.js";
import { dataInput, PipeChannel, type PipeInput, streamInput } from "./pipe.js";
import { badCertificates, secureOptions, type TlsOptions } from "./tls.js";

/** How is listened. */
export interface ListenerOptions {
  /** Certificates for `tls://`. */
  readonly tls?: TlsOptions | undefined;
  /** Allows `tcp://` beyond this machine. */
  readonly allowPlaintext?: boolean | undefined;
  /** Milliseconds that a TLS handshake may take. */
  readonly handshakeTimeoutMs: number;
  /** Takes the channel of each host. */
  readonly onChannel?: ((channel: PipeChannel) => void) | undefined;
  /** Takes the socket of each peer in place of a channel: one whose input may end before its output. */
  readonly onSocket?: ((socket: Socket) => void) | undefined;
  /** Takes why a host was turned away. */
  readonly onRefused: (reason: AnyplugError) => void;
}

/** A socket that hosts connect to. */
export class Listener {
  /** Where it listens, with the port that the system chose. */
  readonly address: string;
  readonly #server: Server;

  /** Made by {@link listenSocket}. */
  constructor(server: Server, address: string) {
    this.#server = server;
    this.address = address;
  }

  /** Listens no longer, and removes the file of a Unix socket. Connections go on. */
  close(): void {
    this.#server.close();
  }
}

/**
 * Listens on `address`. A Unix socket has mode 0600; what a dead server left there is replaced.
 *
 * @throws AnyplugError (rejects) ALREADY_EXISTS when the address is taken, FAILED_PRECONDITION for plaintext beyond this machine, INVALID_ARGUMENT for certificates that cannot
 * be used, PERMISSION_DENIED or UNAVAILABLE when the system refuses.
 */
export async function listenSocket(address: Address, options: ListenerOptions): Promise<Listener> {
  checkPlaintext(address, options.allowPlaintext ?? false);
  const server = serverOf(address, options);
  if (address.kind === "unix") {
    await loadCredentials();
    await claimSocketFile(address.path);
  }
  await bound(server, address);
  if (address.kind === "unix") {
    chmodSync(address.path, 0o600);
    return new Listener(server, formatAddress({ ...address, plugin: "" }));
  }
  const { port } = server.address() as AddressInfo;
  return new Listener(server, formatAddress({ ...address, port, plugin: "" }));
}

function serverOf(address: Address, options: ListenerOptions): Server {
  const { onChannel, onSocket, onRefused } = options;
  const takeInput = (input: PipeInput) => onChannel?.(new PipeChannel(input, input.socket, { whyEnded }));
  const take = onSocket ?? ((socket: Socket) => takeInput(streamInput(socket)));
  const allowHalfOpen = onSocket !== undefined;
  if (address.kind === "tls") return tlsServer(options, onSocket ?? ((socket) => takeInput(dataInput(socket))));
  return createServer({ pauseOnConnect: true, noDelay: true, allowHalfOpen }, (socket) => {
    socket.on("error", () => {});
    if (address.kind === "tcp") {
      socket.setKeepAlive(true, keepAliveMs);
      return take(socket);
    }
    checkPeer(socket).then(
      () => take(socket),
      (error: unknown) => {
        socket.destroy();
        onRefused(AnyplugError.from(error));
      },
    );
  });
}

function tlsServer(options: ListenerOptions, take: (socket: Socket) => void): Server {
  const secure = secureOptions(options.tls);
  const rules = { requestCert: true, rejectUnauthorized: true, handshakeTimeout: options.handshakeTimeoutMs };
  let server: ReturnType<typeof createTlsServer>;
  try {
    server = createTlsServer({
      ...secure,
      ...rules,
      allowHalfOpen: options.onSocket !== undefined,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMs,
    });
  } catch (cause) {
    throw badCertificates(cause);
  }
  server.on("secureConnection", (socket) => take(socket));
  server.on("tlsClientError", (error, socket: Socket) => {
    socket.destroy();
    options.onRefused(
      new AnyplugError(Code.Unauthenticated, `a TLS handshake failed: ${error.message}`, { cause: error }),
    );
  });
  return server;
}

function whyEnded(cause: Error | undefined): AnyplugError {
  const why = cause === undefined ? "" : `: ${cause.message}`;
  return new AnyplugError(Code.Unavailable, `the host closed the connection${why}`, { cause });
}

function bound(server: Server, address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(refused(error, address)));
    server.once("listening", resolve);
    if (address.kind === "unix") privately(() => server.listen({ path: address.path }));
    else server.listen({ host: address.host, port: address.port });
  });
}

function refused(error: NodeJS.ErrnoException, address: Address): AnyplugError {
  const codes: Record<string, Code> = {
    EADDRINUSE: Code.AlreadyExists,
    EACCES: Code.PermissionDenied,
    EPERM: Code.PermissionDenied,
    ENOENT: Code.NotFound,
  };
  const message = `cannot listen on ${formatAddress(address)}: ${error.message}`;
  return new AnyplugError(codes[error.code ?? ""] ?? Code.Unavailable, message, { cause: error });
}
