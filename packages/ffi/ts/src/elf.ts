/** Looks at a file before the system's loader does: of what that says, not all is clear, and a file that was cut off may end the process. */

import type { FileHandle } from "node:fs/promises";
import { noLibrary, refused } from "./failure.js";

/** `e_machine` of the processors that Node runs on, and what they are called elsewhere, by Node's names. */
const machines: Readonly<Record<string, readonly [number, string]>> = {
  ia32: [3, "x86"],
  arm: [40, "arm"],
  x64: [62, "x86_64"],
  arm64: [183, "aarch64"],
  riscv64: [243, "riscv64"],
  loong64: [258, "loongarch64"],
};
const sharedObject = 3;
const loadedSegment = 1;
const segmentBytes = 56;

/**
 * Checks an ELF file of 64 bits; other files, and other systems, are left to the loader.
 *
 * @throws AnyplugError (rejects) INVALID_ARGUMENT for what is no shared library or only a part of one, FAILED_PRECONDITION for one of another machine.
 */
export async function checkElf(file: FileHandle, size: number, place: string): Promise<void> {
  if (process.platform !== "linux") return;
  const header = await read(file, 0, 64);
  if (header.readUInt32BE(0) !== 0x7f454c46) throw noLibrary(place, "it does not begin as an ELF file does");
  const [expected, own] = machines[process.arch] ?? [header.readUInt16LE(18), process.arch];
  const [is64, isLittle] = [header[4] === 2, header[5] === 1];
  if (!is64 || !isLittle) {
    const machine = isLittle ? header.readUInt16LE(18) : header.readUInt16BE(18);
    const what = `${nameOf(machine)} with ${is64 ? 64 : 32} bits, ${isLittle ? "little" : "big"}-endian`;
    throw refused(place, `is built for ${what}, and this program for ${own}; build it for this machine`);
  }
  const machine = header.readUInt16LE(18);
  if (machine !== expected) {
    throw refused(place, `is built for ${nameOf(machine)}, and this program for ${own}; build it for this machine`);
  }
  if (header.readUInt16LE(16) !== sharedObject) throw noLibrary(place, "it is another kind of ELF file");
  const [table, count] = [Number(header.readBigUInt64LE(32)), header.readUInt16LE(56)];
  const segments = await read(file, table, count * segmentBytes);
  for (let at = 0; at + segmentBytes <= segments.length; at += segmentBytes) {
    const end = Number(segments.readBigUInt64LE(at + 8) + segments.readBigUInt64LE(at + 32));
    if (segments.readUInt32LE(at) !== loadedSegment || end <= size) continue;
    throw noLibrary(place, `it has ${size} bytes, and says that it has at least ${end}; build or copy it again`);
  }
}

function nameOf(machine: number): string {
  return Object.values(machines).find(([number]) => number === machine)?.[1] ?? `machine ${machine}`;
}

/** What there is of a range; the rest is 0. */
async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  if (length > 0 && Number.isSafeInteger(position)) await file.read(bytes, 0, length, position);
  return bytes;
}
