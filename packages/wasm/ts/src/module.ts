/** What a module says of itself before it is compiled: its sections, what it imports, what it exports. */

import { BinaryReader } from "./reader.js";

/** Something that a module imports or exports. */
export interface Entry {
  readonly name: string;
  /** "function", "table", "memory", "global" or "tag". */
  readonly kind: string;
  /** Of a function, such as "(i32, i32) -> i32"; undefined when it is not known. */
  readonly type?: string | undefined;
  /** Of a memory. */
  readonly memory?: MemoryType | undefined;
}

/** Something that a module imports. */
export interface ImportEntry extends Entry {
  readonly module: string;
}

/** The type of a memory. */
export interface MemoryType {
  readonly initialPages: number;
  readonly isShared: boolean;
  readonly is64: boolean;
}

/** What a module says of itself. */
export interface ModuleFacts {
  /** The contents of the custom sections named `anyplug`. */
  readonly sections: readonly Uint8Array[];
  readonly imports: readonly ImportEntry[];
  readonly exports: readonly Entry[];
  /** All memories, the imported ones first. */
  readonly memories: readonly MemoryType[];
}

/** The name of the custom section. */
export const sectionName = "anyplug";

const kinds = ["function", "table", "memory", "global", "tag"];
const valueTypes: Readonly<Record<number, string>> = {
  127: "i32",
  126: "i64",
  125: "f32",
  124: "f64",
  123: "v128",
  112: "funcref",
  111: "externref",
};

/** The first bytes of a module of version 1. */
const moduleStart = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const componentStart = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];

/**
 * Reads a module. The code is not looked at.
 *
 * @throws Error saying that it is none, as what follows its name. RangeError saying why, where it cannot be read on.
 */
export function readModule(bytes: Uint8Array): ModuleFacts {
  if (componentStart.every((byte, index) => bytes[index] === byte)) {
    throw new Error("is a WebAssembly component; a plugin is a core module");
  }
  if (!moduleStart.every((byte, index) => bytes[index] === byte)) throw new Error("is no WebAssembly module");
  const facts = new Facts();
  const reader = new BinaryReader(bytes, moduleStart.length);
  while (!reader.isAtEnd) {
    const id = reader.byte();
    const length = reader.unsigned();
    if (length > reader.left) throw new Error("is no WebAssembly module: it ends in the middle of a section");
    reader.take(length);
    facts.section(id, new BinaryReader(bytes, reader.position - length, reader.position), bytes);
  }
  return facts;
}

/** Collects what the sections say. */
class Facts implements ModuleFacts {
  readonly sections: Uint8Array[] = [];
  readonly imports: ImportEntry[] = [];
  readonly exports: Entry[] = [];
  readonly memories: MemoryType[] = [];
  /** Types of functions by index; undefined for what is no function, or is written in a way that this reader does not know. */
  #types: (string | undefined)[] = [];
  #functions: (string | undefined)[] = [];

  section(id: number, reader: BinaryReader, bytes: Uint8Array): void {
    switch (id) {
      case 0:
        if (reader.name() === sectionName) this.sections.push(bytes.subarray(reader.position, reader.end));
        return;
      case 1:
        return this.#readTypes(reader);
      case 2:
        return repeat(reader, () => this.#readImport(reader));
      case 3:
        return repeat(reader, () => this.#functions.push(this.#types[reader.unsigned()]));
      case 5:
        return repeat(reader, () => this.memories.push(memoryType(reader)));
      case 7:
        return repeat(reader, () => this.#readExport(reader));
    }
  }

  #readTypes(reader: BinaryReader): void {
    const count = reader.unsigned();
    for (let index = 0; index < count; index++) {
      // Groups of types count on in their own way: of what follows them, nothing is known.
      if (reader.byte() !== 0x60) return;
      const parameters = values(reader);
      const results = values(reader);
      if (parameters === undefined || results === undefined) return;
      this.#types.push(`(${parameters.join(", ")})${results.length === 0 ? "" : ` -> ${results.join(", ")}`}`);
    }
  }

  #readImport(reader: BinaryReader): void {
    const module = reader.name();
    const name = reader.name();
    const kind = reader.byte();
    const entry = { module, name, kind: kinds[kind] ?? "unknown" };
    switch (kind) {
      case 0: {
        const type = this.#types[reader.unsigned()];
        this.#functions.push(type);
        this.imports.push({ ...entry, type });
        return;
      }
      case 1:
        referenceType(reader);
        limits(reader);
        break;
      case 2: {
        const memory = memoryType(reader);
        this.memories.push(memory);
        this.imports.push({ ...entry, memory });
        return;
      }
      case 3:
        referenceType(reader);
        reader.byte();
        break;
      case 4:
        reader.byte();
        reader.unsigned();
        break;
      default:
        throw new RangeError(`an import of kind ${kind}, which there is not`);
    }
    this.imports.push(entry);
  }

  #readExport(reader: BinaryReader): void {
    const name = reader.name();
    const kind = reader.byte();
    const index = reader.unsigned();
    const type = kind === 0 ? this.#functions[index] : undefined;
    const memory = kind === 2 ? this.memories[index] : undefined;
    this.exports.push({ name, kind: kinds[kind] ?? "unknown", type, memory });
  }
}

function repeat(reader: BinaryReader, read: () => void): void {
  const count = reader.unsigned();
  for (let index = 0; index < count; index++) read();
}

/** Types of values; undefined when one is not known. */
function values(reader: BinaryReader): string[] | undefined {
  const names: string[] = [];
  let isKnown = true;
  repeat(reader, () => {
    const name = valueTypes[referenceType(reader)];
    if (name === undefined) isKnown = false;
    else names.push(name);
  });
  return isKnown ? names : undefined;
}

/** The first byte of a type of values; those of references have more. */
function referenceType(reader: BinaryReader): number {
  const first = reader.byte();
  if (first === 0x63 || first === 0x64) reader.unsigned();
  return first;
}

function limits(reader: BinaryReader): MemoryType {
  const flags = reader.unsigned();
  const initialPages = reader.unsigned();
  if ((flags & 1) !== 0) reader.unsigned();
  if ((flags & 8) !== 0) reader.unsigned();
  return { initialPages, isShared: (flags & 2) !== 0, is64: (flags & 4) !== 0 };
}

function memoryType(reader: BinaryReader): MemoryType {
  return limits(reader);
}
