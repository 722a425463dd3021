/** Connects to a plugin that is served on a socket. */

import { connect, type OnReadOpts, type Socket } from "node:net";
import { AnyplugError, Code } from "@anyplug/core";
import { type Address, checkPlaintext, formatAddress, isLoopback } from "./address.js";
import { checkPeer, checkSocketFile } from "./credentials.js";
import { bufferedSocket, PipeChannel, type PipeInput } from "./pipe.js";
import { connectTls, type TlsOptions } from "./tls.js";

/** How a socket is connected to. */
export interface ConnectOptions {
  /** Certificates for `tls://`. */
  readonly tls?: TlsOptions | undefined;
  /** Allows `tcp://` beyond this machine. */
  readonly allowPlaintext?: boolean | undefined;
  /** Gives the attempt up. */
  readonly signal?: AbortSignal | undefined;
}

/** After so many milliseconds without traffic a peer over TCP is asked whether it is still there. */
export const keepAliveMs = 30_000;

/**
 * Connects to `address`.
 *
 * @throws AnyplugError (rejects) UNAVAILABLE when nobody listens there, FAILED_PRECONDITION for plaintext beyond this machine, PERMISSION_DENIED when the peer is not who it
 * should be, UNAUTHENTICATED when certificates do not fit, INVALID_ARGUMENT for certificates that cannot be read, CANCELLED when the signal is aborted.
 */
export async function connectSocket(address: Address, options: ConnectOptions = {}): Promise<PipeChannel> {
  checkPlaintext(address, options.allowPlaintext ?? false);
  if (address.kind !== "unix" && address.port === 0) {
    throw new AnyplugError(Code.InvalidArgument, `${formatAddress(address)}: expected a port to connect to, got 0`);
  }
  const input = await opened(address, options);
  return new PipeChannel(input, input.socket, {
    whyEnded: (cause) => {
      const { code = "" } = (cause ?? {}) as NodeJS.ErrnoException;
      // That it cannot be written to says no more than that it has ended.
      const why = cause === undefined || code === "EPIPE" ? "" : `: ${cause.message}`;
      const message = `${formatAddress(address)} closed the connection${why}`;
      return new AnyplugError(codeOf(code), message, { cause });
    },
  });
}

async function opened(address: Address, options: ConnectOptions): Promise<PipeInput> {
  if (address.kind === "tls") return connectTls(address, options);
  if (address.kind === "unix") {
    await checkSocketFile(address.path).catch((error: unknown) => {
      throw described(error, address);
    });
  }
  const input = bufferedSocket((onread: OnReadOpts) => {
    if (address.kind === "unix") return connect({ path: address.path, onread });
    const { host, port } = address;
    return connect({ host, port, onread, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs });
  });
  const { socket } = input;
  try {
    await connected(socket, "connect", address, options.signal);
    if (address.kind === "unix") await checkPeer(socket);
    else if (!options.allowPlaintext && !isLoopback(socket.remoteAddress ?? "")) {
      throw new AnyplugError(
        Code.FailedPrecondition,
        `${address.host} is ${socket.remoteAddress}, which is not this machine`,
      );
    }
    return input;
  } catch (error) {
    socket.destroy();
    throw described(error, address);
  }
}

/** Waits for `event`, the sign that the socket is connected. */
export function connected(
  socket: Socket,
  event: string,
  address: Address,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: unknown) => {
      socket.off(event, onConnect).off("error", done).off("close", onClose);
      signal?.removeEventListener("abort", onAbort);
      // Until somebody else listens: an error that nobody hears ends the process.
      if (error === undefined) resolve();
      else {
        socket.on("error", () => {});
        reject(error);
      }
    };
    const onConnect = () => done();
    const onClose = () => done(new AnyplugError(Code.Unavailable, `${formatAddress(address)} closed the connection`));
    const onAbort = () => done(AnyplugError.from(signal?.reason, Code.Cancelled));
    if (signal?.aborted) return onAbort();
    socket.once(event, onConnect).once("error", done).once("close", onClose);
    signal?.addEventListener("abort", onAbort);
  });
}

/** The error of a connection that was not made, with its address. */
export function described(error: unknown, address: Address): AnyplugError {
  const { code, message } = AnyplugError.from(error, codeOf((error as NodeJS.ErrnoException).code));
  if (code === Code.Cancelled) return AnyplugError.from(error);
  return new AnyplugError(code, `cannot connect to ${formatAddress(address)}: ${message}`, { cause: error });
}

/** The code for an error of the system, or of TLS: what the system does not name concerns the certificates. */
function codeOf(name = ""): Code {
  if (name === "EACCES" || name === "EPERM") return Code.PermissionDenied;
  return name === "" || /^E[A-Z0-9]+$/.test(name) ? Code.Unavailable : Code.Unauthenticated;
}
