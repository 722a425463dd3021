/** Errors as WASI numbers them: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#errno */

/** Numbers of errors; 0 is none. */
export const errno = {
  success: 0,
  access: 2,
  badDescriptor: 8,
  invalid: 28,
  io: 29,
  isDirectory: 31,
  loop: 32,
  tooManyFiles: 33,
  nameTooLong: 37,
  noEntry: 44,
  notDirectory: 54,
  notSupported: 58,
  overflow: 61,
  readOnly: 69,
  notCapable: 76,
} as const;

/** By the names that Node has for them. */
const byName: Readonly<Record<string, number>> = {
  EACCES: errno.access,
  EBADF: errno.badDescriptor,
  EBUSY: 10,
  EDQUOT: 19,
  EEXIST: 20,
  EFBIG: 22,
  EINVAL: errno.invalid,
  EIO: errno.io,
  EISDIR: errno.isDirectory,
  ELOOP: errno.loop,
  EMFILE: errno.tooManyFiles,
  ENAMETOOLONG: errno.nameTooLong,
  ENFILE: 41,
  ENODEV: 43,
  ENOENT: errno.noEntry,
  ENOMEM: 48,
  ENOSPC: 51,
  ENOTDIR: errno.notDirectory,
  ENOTEMPTY: 55,
  ENOTSUP: errno.notSupported,
  ENXIO: 60,
  EPERM: 63,
  EROFS: errno.readOnly,
  ETXTBSY: 74,
  EXDEV: 75,
};

/** What a function of WASI returns instead of 0. Thrown, so that it ends what is being done. */
export class WasiError extends Error {
  constructor(readonly number: number) {
    super(`errno ${number}`);
  }
}

/** Returns the number for what was thrown, if it was for want of a file, or for the like. What ends the guest is thrown again. */
export function errnoOf(thrown: unknown): number {
  if (thrown instanceof WasiError) return thrown.number;
  const { code } = thrown as { code?: unknown };
  if (typeof code !== "string") throw thrown;
  if (code.startsWith("ERR_")) return errno.invalid;
  return byName[code] ?? errno.io;
}
