/** The file of a listening Unix socket: whether it may be taken, and how it comes to have mode 0600. */

import { lstatSync, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { AnyplugError, Code } from "@anyplug/core";

/**
 * Removes the file of a socket whose server is dead.
 *
 * @throws AnyplugError (rejects) ALREADY_EXISTS when a server listens there or the file is no socket, PERMISSION_DENIED when it cannot be removed.
 */
export async function claimSocketFile(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket())
    throw new AnyplugError(Code.AlreadyExists, `${path} exists and is no socket; it is left alone`);
  if (await isLive(path)) {
    throw new AnyplugError(Code.AlreadyExists, `something listens on ${path} already; stop it, or choose another path`);
  }
  // Another server may have taken its place meanwhile.
  const now = lstatSync(path, { throwIfNoEntry: false });
  if (now === undefined || now.ino !== found.ino || now.dev !== found.dev) return;
  try {
    unlinkSync(path);
  } catch (cause) {
    throw new AnyplugError(Code.PermissionDenied, `${path} is left of a server that has ended, and cannot be removed`, {
      cause,
    });
  }
}

/** Only a refusal says that nobody listens: a server with a full queue, or another user's, is alive. */
function isLive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) =>
      resolve(!["ECONNREFUSED", "ENOENT"].includes(error.code ?? "")),
    );
  });
}

/** Runs `bind`, which makes the file of a socket at once, so that nobody but this user may use it from the beginning on. */
export function privately<T>(bind: () => T): T {
  let before: number;
  try {
    before = process.umask(0o177);
  } catch {
    // A worker cannot set it: there the file has its mode a moment later.
    return bind();
  }
  try {
    return bind();
  } finally {
    process.umask(before);
  }
}
