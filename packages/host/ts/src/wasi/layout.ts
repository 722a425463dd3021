/** How WASI writes what is known of files into memory. */

import type { BigIntStats, Dirent } from "node:fs";
import { errno, WasiError } from "./errno.js";

/** Bytes of what is written. */
export const fdstatBytes = 24;
export const filestatBytes = 64;
const direntBytes = 24;

const types = { unknown: 0, directory: 3, file: 4, link: 7 } as const;

/** All rights, and those that change something. */
const everything = 0x1fff_ffffn;
const changes = [6, 8, 9, 10, 11, 12, 16, 17, 19, 20, 22, 23, 24, 25, 26].reduce(
  (all, bit) => all | (1n << BigInt(bit)),
  0n,
);

/** Right to read, and to write. */
export const mayRead = 1n << 1n;
export const mayWrite = 1n << 6n;

/** What is said of a descriptor. */
export function fdstat(view: DataView, at: number, isFolder: boolean, isAppending: boolean, isReadOnly: boolean): void {
  const rights = isReadOnly ? everything & ~changes : everything;
  view.setUint8(at, isFolder ? types.directory : types.file);
  view.setUint16(at + 2, isAppending ? 1 : 0, true);
  view.setBigUint64(at + 8, rights, true);
  view.setBigUint64(at + 16, rights, true);
}

/** What is said of a file. */
export function filestat(view: DataView, at: number, stat: BigIntStats): void {
  view.setBigUint64(at, BigInt.asUintN(64, stat.dev), true);
  view.setBigUint64(at + 8, BigInt.asUintN(64, stat.ino), true);
  view.setUint8(at + 16, typeOf(stat));
  view.setBigUint64(at + 24, stat.nlink, true);
  view.setBigUint64(at + 32, stat.size, true);
  view.setBigUint64(at + 40, BigInt.asUintN(64, stat.atimeNs), true);
  view.setBigUint64(at + 48, BigInt.asUintN(64, stat.mtimeNs), true);
  view.setBigUint64(at + 56, BigInt.asUintN(64, stat.ctimeNs), true);
}

/** A name in a folder. */
export interface Entry {
  readonly name: string;
  readonly type: number;
  readonly ino: bigint;
}

/** A name that Node read from a folder; what is neither file, folder nor link is unknown. */
export function entryOf(found: Dirent): Entry {
  return { name: found.name, type: typeOf(found), ino: 0n };
}

/** The name of the folder itself, and of the one around it. */
export function dots(): Entry[] {
  return [".", ".."].map((name) => ({ name, type: types.directory, ino: 0n }));
}

/** An entry in bytes; `next` is the number of the one behind it. */
export function dirent({ name, type, ino }: Entry, next: bigint): Uint8Array {
  const text = new TextEncoder().encode(name);
  const bytes = new Uint8Array(direntBytes + text.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, next, true);
  view.setBigUint64(8, ino, true);
  view.setUint32(16, text.length, true);
  view.setUint8(20, type);
  bytes.set(text, direntBytes);
  return bytes;
}

/** Seconds, as Node sets times: those that are given, those of now, or those that there are. `flags`: of fst_flags, two bits for the time. */
export function timeOf(flags: number, given: bigint, known: bigint): number {
  if (flags === 3) throw new WasiError(errno.invalid);
  if (flags === 2) return Date.now() / 1000;
  return Number(flags === 1 ? BigInt.asUintN(64, given) : known) / 1e9;
}

function typeOf(found: { isDirectory(): boolean; isFile(): boolean; isSymbolicLink(): boolean }): number {
  if (found.isDirectory()) return types.directory;
  if (found.isSymbolicLink()) return types.link;
  return found.isFile() ? types.file : types.unknown;
}
