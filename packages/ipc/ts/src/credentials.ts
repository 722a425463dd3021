/** Who is at the other end of a Unix socket. */

import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import type { Socket } from "node:net";
import { dirname } from "node:path";
import { AnyplugError, Code } from "@anyplug/core";

/** `SOL_SOCKET` and `SO_PEERCRED` of Linux, and the length of its `struct ucred`: pid, uid, gid. */
const [solSocket, soPeercred, ucredBytes] = [1, 17, 12];

/** Returns the user at the other end of the socket with this descriptor; throws when the system does not say. */
type PeerUser = (descriptor: number) => number;

let peerUser: Promise<PeerUser | undefined> | undefined;

/**
 * Makes ready to ask who is at the other end of a socket. Node cannot ask; the system's own function is called through koffi, which takes about 40 ms to load, once.
 * Where it cannot be loaded, a warning says so: then owner and mode of the file of the socket are all that is checked.
 */
export function loadCredentials(): Promise<unknown> {
  peerUser ??= load().catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    process.emitWarning(`the peers of Unix sockets are checked by the owner and mode of their files alone: ${why}`, {
      code: "ANYPLUG_PEER_CREDENTIALS",
    });
    return undefined;
  });
  return peerUser;
}

async function load(): Promise<PeerUser> {
  const { default: koffi } = await import("koffi");
  const library = koffi.load(null);
  if (process.platform === "linux") {
    const getsockopt = library.func(
      "int getsockopt(int socket, int level, int name, _Out_ uint8_t *value, _Inout_ uint32_t *length)",
    );
    return (descriptor) => {
      const value = Buffer.alloc(ucredBytes);
      if (getsockopt(descriptor, solSocket, soPeercred, value, [ucredBytes]) !== 0)
        throw new Error("getsockopt failed");
      return value.readUInt32LE(4);
    };
  }
  const getpeereid = library.func("int getpeereid(int socket, _Out_ uint32_t *user, _Out_ uint32_t *group)");
  return (descriptor) => {
    const user = [0];
    if (getpeereid(descriptor, user, [0]) !== 0) throw new Error("getpeereid failed");
    return user[0] ?? -1;
  };
}

/**
 * Refuses a peer that is neither this user nor root.
 *
 * @throws AnyplugError (rejects) PERMISSION_DENIED, naming both users; UNAVAILABLE when the peer has gone meanwhile.
 */
export async function checkPeer(socket: Socket): Promise<void> {
  const userOf = await (loadCredentials() as Promise<PeerUser | undefined>);
  if (userOf === undefined) return;
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: number } | null };
  const own = process.geteuid?.() ?? 0;
  let user: number;
  try {
    user = userOf(handle?.fd ?? -1);
  } catch (cause) {
    throw new AnyplugError(Code.Unavailable, "the peer is gone, or the system does not say who it is", { cause });
  }
  if (isTrusted(user, own)) return;
  throw new AnyplugError(Code.PermissionDenied, `the peer is user ${user}; expected user ${own} or root`);
}

/** Whether a program of user `own` may trust one of `user`. */
export function isTrusted(user: number, own: number): boolean {
  return user === own || user === 0;
}

/**
 * Checks the file of a socket before it is connected to: nobody but this user and root could have put it there.
 *
 * @throws AnyplugError (rejects) UNAVAILABLE when there is none, FAILED_PRECONDITION when it is no socket, PERMISSION_DENIED when it is somebody else's.
 */
export async function checkSocketFile(path: string): Promise<void> {
  const own = process.geteuid?.() ?? 0;
  const [file, folder] = await Promise.all([statusOf(path), statusOf(dirname(path))]);
  if (!file.isSocket()) throw new AnyplugError(Code.FailedPrecondition, `${path} is no socket`);
  if (!isTrusted(file.uid, own)) {
    throw new AnyplugError(Code.PermissionDenied, `${path} belongs to user ${file.uid}; expected user ${own} or root`);
  }
  const [othersWrite, sticky] = [0o022, 0o1000];
  if (!isTrusted(folder.uid, own) || ((folder.mode & othersWrite) !== 0 && (folder.mode & sticky) === 0)) {
    const message = `${dirname(path)} belongs to another user, or others may write to it: what is there can be put in place of the socket`;
    throw new AnyplugError(Code.PermissionDenied, message);
  }
}

async function statusOf(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT")
      throw new AnyplugError(Code.Unavailable, `there is no ${path}: is the plugin served?`, { cause });
    throw new AnyplugError(Code.PermissionDenied, `${path} cannot be looked at: ${code}`, { cause });
  }
}
