/** The functions of WASI that take a path. */

import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  utimesSync,
} from "node:fs";
import type { Actions } from "./descriptors.js";
import { errno, WasiError } from "./errno.js";
import { carefully, type Folder, type Place } from "./folder.js";
import { filestat, filestatBytes, mayRead, mayWrite, timeOf } from "./layout.js";
import type { Memory } from "./memory.js";
import type { OpenFile, Table } from "./table.js";

/** Of `oflags`. */
const create = 1;
const directory = 2;
const exclusive = 4;
const truncate = 8;
/** Of `fdflags`; the others are for what is written at once, which Node has no word for. */
const appending = 1;
/** Of `lookupflags`. */
const follow = 1;

/** The functions whose first parameter is the descriptor of a folder, and which take a path from there. */
export function pathActions(table: Table, memory: Memory): Actions {
  const folderOf = (descriptor: number | bigint | undefined): Folder => table.folder(Number(descriptor)).folder;
  const notSupported = () => {
    throw new WasiError(errno.notSupported);
  };
  return {
    path_create_directory: (from, path, size) => {
      const folder = folderOf(from);
      const place = folder.find(memory.text("path_create_directory", path, size), false);
      folder.change();
      mkdirSync(place.path);
    },
    path_filestat_get: (from, flags, path, size, at) => {
      const place = folderOf(from).find(memory.text("path_filestat_get", path, size), isFollowed(flags));
      filestat(memory.view("path_filestat_get", at, filestatBytes), 0, known(place));
    },
    path_filestat_set_times: (from, flags, path, size, accessed, changed, which) => {
      const folder = folderOf(from);
      const place = folder.find(memory.text("path_filestat_set_times", path, size), isFollowed(flags));
      const { atimeNs, mtimeNs } = known(place);
      folder.change();
      const bits = Number(which);
      const set = place.stat?.isSymbolicLink() ? lutimesSync : utimesSync;
      set(
        place.path,
        timeOf(bits & 3, BigInt(accessed ?? 0), atimeNs),
        timeOf(bits >> 2, BigInt(changed ?? 0), mtimeNs),
      );
    },
    path_link: notSupported,
    path_symlink: notSupported,
    path_open: (from, flags, path, size, oflags, rights, _inherited, fdflags, at) => {
      const folder = folderOf(from);
      const found = folder.find(memory.text("path_open", path, size), isFollowed(flags));
      // The place of the answer is looked at before anything is opened.
      memory.word("path_open", at, 0);
      table.checkRoom();
      const descriptor = table.add(
        found.stat?.isDirectory()
          ? openFolder(folder, found, Number(oflags), BigInt(rights ?? 0))
          : openFile(folder, found, Number(oflags), BigInt(rights ?? 0), Number(fdflags)),
      );
      memory.word("path_open", at, descriptor);
    },
    path_readlink: (from, path, size, buffer, length, at) => {
      const place = folderOf(from).find(memory.text("path_readlink", path, size), false);
      if (known(place).isSymbolicLink() !== true) throw new WasiError(errno.invalid);
      const target = Buffer.from(readlinkSync(place.path)).subarray(0, Number(length) >>> 0);
      memory.bytes("path_readlink", buffer, target.length).set(target);
      memory.word("path_readlink", at, target.length);
    },
    path_remove_directory: (from, path, size) => {
      const folder = folderOf(from);
      const place = folder.find(memory.text("path_remove_directory", path, size), false);
      // The granted folder itself stays.
      if (place.parts.length === 0) throw new WasiError(errno.notCapable);
      folder.change();
      rmdirSync(place.path);
    },
    path_rename: (from, path, size, to, other, otherSize) => {
      const [source, target] = [folderOf(from), folderOf(to)];
      const old = source.find(memory.text("path_rename", path, size), false);
      const place = target.find(memory.text("path_rename", other, otherSize), false);
      if (old.parts.length === 0 || place.parts.length === 0) throw new WasiError(errno.notCapable);
      source.change();
      target.change();
      renameSync(old.path, place.path);
    },
    path_unlink_file: (from, path, size) => {
      const folder = folderOf(from);
      const place = folder.find(memory.text("path_unlink_file", path, size), false);
      folder.change();
      if (known(place).isDirectory()) throw new WasiError(errno.isDirectory);
      unlinkSync(place.path);
    },
  };
}

function openFolder(folder: Folder, place: Place, oflags: number, rights: bigint): ReturnType<Table["folder"]> {
  if ((oflags & exclusive) !== 0 && (oflags & create) !== 0) throw new WasiError(20);
  const isWritten = (oflags & truncate) !== 0 || ((oflags & directory) === 0 && (rights & mayWrite) !== 0n);
  if (isWritten) throw new WasiError(errno.isDirectory);
  return { kind: "folder", folder: folder.at(place), name: undefined, entries: [] };
}

function openFile(folder: Folder, place: Place, oflags: number, rights: bigint, fdflags: number): OpenFile {
  const has = (flag: number) => (oflags & flag) !== 0;
  if (place.stat === undefined && !has(create)) throw new WasiError(errno.noEntry);
  if (place.stat === undefined && place.isFolder) throw new WasiError(errno.isDirectory);
  if (place.stat !== undefined && has(directory)) throw new WasiError(errno.notDirectory);
  if (place.stat?.isSymbolicLink()) throw new WasiError(errno.loop);
  const canWrite = (rights & mayWrite) !== 0n || has(truncate);
  const canRead = (rights & mayRead) !== 0n || !canWrite;
  if (canWrite || place.stat === undefined) folder.change();
  const mode = canWrite ? (canRead ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY;
  const made = has(create) ? constants.O_CREAT | (has(exclusive) ? constants.O_EXCL : 0) : 0;
  // Only files: a device or a pipe is not a matter of folders.
  if (place.stat !== undefined && !place.stat.isFile()) throw new WasiError(errno.access);
  const descriptor = openSync(place.path, mode | made | carefully | (has(truncate) ? constants.O_TRUNC : 0), 0o666);
  if (!fstatSync(descriptor).isFile()) {
    closeSync(descriptor);
    throw new WasiError(errno.access);
  }
  return { kind: "file", descriptor, canRead, canWrite, isAppending: (fdflags & appending) !== 0, position: 0n };
}

function isFollowed(flags: number | bigint | undefined): boolean {
  return (Number(flags) & follow) !== 0;
}

function known({ stat }: Place): BigIntStats {
  if (stat === undefined) throw new WasiError(errno.noEntry);
  return stat;
}
