/** Writes the module: the engine, with the memory and the variables of a program that has run in it. */

import { encodeName, encodeSigned, encodeUnsigned, encodeVector, joined, Reader, sectionsOf } from "./binary.js";
import { writeGlobals } from "./globals.js";

/** What becomes of the engine's module. */
export interface ModuleContents {
  readonly memory: Uint8Array;
  readonly state: ReadonlyMap<string, number | bigint>;
  /** The contents of the section `anyplug`. */
  readonly section: Uint8Array;
}

const pageBytes = 65_536;

/** What the embedded ABI has, and no more. */
const exported = new Set(["memory", "anyplug_abi", "anyplug_alloc", "anyplug_free", "anyplug_recv", "anyplug_call"]);

/** The numbers of sections. */
const sectionIds = { custom: 0, memory: 5, global: 6, export: 7, start: 8, data: 11, dataCount: 12 };

const preamble = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);

/** Returns the module's bytes. */
export function writeModule(engine: Uint8Array, { memory, state, section }: ModuleContents): Uint8Array<ArrayBuffer> {
  const sections = sectionsOf(engine).filter(({ id }) => id !== sectionIds.custom && id !== sectionIds.dataCount);
  const exports = exportsOf(sections.find(({ id }) => id === sectionIds.export)?.body ?? new Uint8Array(1));
  const values = new Map<number, number | bigint>();
  for (const { name, kind, index } of exports) {
    const value = state.get(name);
    if (kind === globalKind && value !== undefined) values.set(index, value);
  }
  const written = sections.map(({ id, body }) => {
    if (id === sectionIds.start) throw new Error("the engine has a start function");
    if (id === sectionIds.memory) return { id, body: encodeVector([limits(memory)]) };
    if (id === sectionIds.global) return { id, body: writeGlobals(body, values) };
    if (id === sectionIds.data) return { id, body: encodeVector(segments(memory)) };
    if (id !== sectionIds.export) return { id, body };
    return { id, body: encodeVector(exports.filter(({ name }) => exported.has(name)).map(({ bytes }) => bytes)) };
  });
  const first = { id: sectionIds.custom, body: joined([encodeName("anyplug"), section]) };
  const parts = [first, ...written].flatMap(({ id, body }) => [Uint8Array.of(id), encodeUnsigned(body.length), body]);
  return joined([preamble, ...parts]);
}

interface Export {
  readonly name: string;
  readonly kind: number;
  readonly index: number;
  readonly bytes: Uint8Array;
}

const globalKind = 3;

function exportsOf(body: Uint8Array): Export[] {
  const reader = new Reader(body);
  return Array.from({ length: reader.integer() }, () => {
    const from = reader.at;
    const name = reader.name();
    const kind = reader.byte();
    const index = reader.integer();
    return { name, kind, index, bytes: body.subarray(from, reader.at) };
  });
}

/** A memory as large as it is now, which may grow. */
function limits(memory: Uint8Array): Uint8Array {
  return joined([Uint8Array.of(0), encodeUnsigned(memory.length / pageBytes)]);
}

/** Zeros up to this many are cheaper in a segment than the beginning of another one. */
const gapBytes = 8;

/** What of the memory is not zero. */
function segments(memory: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at < memory.length; ) {
    while (at < memory.length && memory[at] === 0) at += 1;
    const from = at;
    let end = at;
    for (; at < memory.length && at - end <= gapBytes; at += 1) if (memory[at] !== 0) end = at + 1;
    if (end > from) found.push(segment(from, memory.subarray(from, end)));
  }
  return found;
}

/** Bytes that are put at a place when the module begins. */
function segment(at: number, bytes: Uint8Array): Uint8Array {
  const i32Const = 0x41;
  const end = 0x0b;
  const place = joined([Uint8Array.of(0, i32Const), encodeSigned(BigInt(at)), Uint8Array.of(end)]);
  return joined([place, encodeUnsigned(bytes.length), bytes]);
}
