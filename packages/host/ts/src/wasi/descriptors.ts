/** The functions of WASI that work on what is open. */

import { fstatSync, ftruncateSync, futimesSync, readdirSync, readSync, statSync, writeSync } from "node:fs";
import type { WasiHost } from "@anyplug/wasm";
import { errno, WasiError } from "./errno.js";
import { dirent, dots, entryOf, fdstat, fdstatBytes, filestat, filestatBytes, timeOf } from "./layout.js";
import type { Memory } from "./memory.js";
import type { OpenFile, Table } from "./table.js";

/** Ranges that are read or written at once, at most. */
const mostRanges = 1024;
const appending = 1;

type Numbers = (number | bigint)[];

/** Functions that return nothing when all went well, and else throw a WasiError, Node's own error, or what ends the guest. */
export type Actions = Record<string, (...values: Numbers) => void>;

/** The functions whose first parameter is a descriptor. */
export function descriptorActions(table: Table, memory: Memory, host: WasiHost): Actions {
  const move = (
    what: string,
    file: OpenFile,
    [, ranges, count, at]: Numbers,
    position: bigint | undefined,
    transfer: (bytes: Uint8Array, position: number) => number,
  ) => {
    let done = 0;
    const from = position ?? file.position;
    for (const bytes of memory.ranges(what, ranges, count, mostRanges)) {
      if (bytes.length === 0) continue;
      const size = transfer(bytes, positionOf(from + BigInt(done)));
      done += size;
      host.check();
      if (size < bytes.length) break;
    }
    if (position === undefined) file.position = from + BigInt(done);
    memory.word(what, at, done);
  };
  const read = (what: string, values: Numbers, at: number | bigint | undefined, position?: bigint) => {
    const file = table.file(Number(values[0]));
    if (!file.canRead) throw new WasiError(errno.badDescriptor);
    move(what, file, [0, values[1] ?? 0, values[2] ?? 0, at ?? 0], position, (bytes, from) => {
      return readSync(file.descriptor, bytes, 0, bytes.length, from);
    });
  };
  const write = (what: string, values: Numbers, at: number | bigint | undefined, position?: bigint) => {
    const file = table.file(Number(values[0]));
    if (!file.canWrite) throw new WasiError(errno.badDescriptor);
    if (file.isAppending) file.position = fstatSync(file.descriptor, { bigint: true }).size;
    move(what, file, [0, values[1] ?? 0, values[2] ?? 0, at ?? 0], position, (bytes, from) => {
      return writeSync(file.descriptor, bytes, 0, bytes.length, from);
    });
  };

  const grantedName = (descriptor: number | bigint | undefined) => {
    const found = table.get(Number(descriptor));
    if (found.kind === "folder" && found.name !== undefined) return found.name;
    throw new WasiError(errno.badDescriptor);
  };

  return {
    fd_advise: (descriptor) => void table.file(Number(descriptor)),
    fd_allocate: () => {
      throw new WasiError(errno.notSupported);
    },
    fd_close: (descriptor) => table.close(Number(descriptor)),
    fd_datasync: (descriptor) => void table.get(Number(descriptor)),
    fd_sync: (descriptor) => void table.get(Number(descriptor)),
    fd_fdstat_get: (descriptor, at) => {
      const found = table.get(Number(descriptor));
      const view = memory.view("fd_fdstat_get", at, fdstatBytes);
      if (found.kind === "folder") fdstat(view, 0, true, false, found.folder.isReadOnly);
      else fdstat(view, 0, false, found.isAppending, !found.canWrite);
    },
    fd_fdstat_set_flags: (descriptor, flags) => {
      const file = table.file(Number(descriptor));
      if ((Number(flags) & ~appending) !== 0) throw new WasiError(errno.notSupported);
      file.isAppending = Number(flags) === appending;
    },
    fd_filestat_get: (descriptor, at) => {
      const found = table.get(Number(descriptor));
      const stat =
        found.kind === "folder"
          ? statSync(found.folder.path, { bigint: true })
          : fstatSync(found.descriptor, { bigint: true });
      filestat(memory.view("fd_filestat_get", at, filestatBytes), 0, stat);
    },
    fd_filestat_set_size: (descriptor, size) => {
      const file = table.file(Number(descriptor));
      if (!file.canWrite) throw new WasiError(errno.badDescriptor);
      ftruncateSync(file.descriptor, positionOf(BigInt(size ?? 0)));
    },
    fd_filestat_set_times: (descriptor, accessed, changed, flags) => {
      const file = table.file(Number(descriptor));
      if (!file.canWrite) throw new WasiError(errno.badDescriptor);
      const { atimeNs, mtimeNs } = fstatSync(file.descriptor, { bigint: true });
      const which = Number(flags);
      const times = [
        timeOf(which & 3, BigInt(accessed ?? 0), atimeNs),
        timeOf(which >> 2, BigInt(changed ?? 0), mtimeNs),
      ];
      futimesSync(file.descriptor, times[0] ?? 0, times[1] ?? 0);
    },
    fd_pread: (descriptor, ranges, count, offset, at) => {
      read("fd_pread", [descriptor ?? 0, ranges ?? 0, count ?? 0], at, BigInt(offset ?? 0));
    },
    fd_pwrite: (descriptor, ranges, count, offset, at) => {
      write("fd_pwrite", [descriptor ?? 0, ranges ?? 0, count ?? 0], at, BigInt(offset ?? 0));
    },
    fd_prestat_get: (descriptor, at) => {
      const name = grantedName(descriptor);
      memory.word("fd_prestat_get", at, 0);
      memory.word("fd_prestat_get", Number(at) + 4, Buffer.byteLength(name));
    },
    fd_prestat_dir_name: (descriptor, at, size) => {
      const name = grantedName(descriptor);
      const text = Buffer.from(name);
      if (text.length > Number(size)) throw new WasiError(errno.nameTooLong);
      memory.bytes("fd_prestat_dir_name", at, text.length).set(text);
    },
    fd_read: (descriptor, ranges, count, at) => read("fd_read", [descriptor ?? 0, ranges ?? 0, count ?? 0], at),
    fd_write: (descriptor, ranges, count, at) => write("fd_write", [descriptor ?? 0, ranges ?? 0, count ?? 0], at),
    fd_readdir: (descriptor, buffer, size, cookie, at) => {
      const opened = table.folder(Number(descriptor));
      if (cookie === 0n) {
        const found = readdirSync(opened.folder.path, { withFileTypes: true });
        opened.entries = [...dots(), ...found.map(entryOf)];
      }
      const out = memory.bytes("fd_readdir", buffer, Number(size) >>> 0);
      let used = 0;
      for (let index = positionOf(BigInt(cookie ?? 0)); used < out.length; index++) {
        const entry = opened.entries[index];
        if (entry === undefined) break;
        const bytes = dirent(entry, BigInt(index + 1)).subarray(0, out.length - used);
        out.set(bytes, used);
        used += bytes.length;
      }
      memory.word("fd_readdir", at, used);
    },
    fd_renumber: (from, to) => table.move(Number(from), Number(to)),
    fd_seek: (descriptor, offset, whence, at) => {
      const file = table.file(Number(descriptor));
      const bases = [0n, file.position, fstatSync(file.descriptor, { bigint: true }).size];
      const base = bases[Number(whence)];
      if (base === undefined) throw new WasiError(errno.invalid);
      const position = base + BigInt(offset ?? 0);
      positionOf(position);
      file.position = position;
      memory.long("fd_seek", at, position);
    },
    fd_tell: (descriptor, at) => memory.long("fd_tell", at, table.file(Number(descriptor)).position),
  };
}

/** A position as Node takes it. */
function positionOf(position: bigint): number {
  if (position < 0n) throw new WasiError(errno.invalid);
  if (position > BigInt(Number.MAX_SAFE_INTEGER)) throw new WasiError(errno.overflow);
  return Number(position);
}
