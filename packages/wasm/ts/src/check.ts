/** Checks a module before it is compiled: whether it is a plugin of this ABI, and whether it gets what it wants. */

import { AnyplugError, Code, type Hello } from "@anyplug/core";
import { decodeHello } from "@anyplug/core/transports";
import type { ModuleKind } from "./compile.js";
import { pageBytes, type WasmLimits } from "./limits.js";
import type { Entry, ImportEntry, MemoryType, ModuleFacts } from "./module.js";
import { initialize } from "./start.js";
import { wasiModule, wasiTypes } from "./wasi.js";

/** The version of the ABI that this host speaks. */
export const abiVersion = 1;

/** What a module exports, and what of. Checked where the types are known. */
const exported: Readonly<Record<string, string>> = {
  anyplug_abi: "() -> i32",
  anyplug_alloc: "(i32) -> i32",
  anyplug_free: "(i32, i32)",
  anyplug_recv: "(i32, i32)",
  anyplug_call: "(i32, i32, i32, i32) -> i32",
};

/** What a module may import. */
const imported: Readonly<Record<string, string>> = {
  send: "(i32, i32)",
  clock: "(i32) -> f64",
  random: "(i32, i32)",
  log: "(i32, i32, i32)",
  checkpoint: "()",
};

/** What there is of WASI. */
export function wasiTypesOf({ wasiFiles }: WasmLimits): Readonly<Record<string, string>> {
  return { ...wasiTypes, ...wasiFiles?.types };
}

/** Modules of this ABI. What is kept of one is what its section says. */
export const pluginModule: ModuleKind<Hello> = {
  name: "anyplug",
  check(facts, limits, place) {
    const hello = checkSection(facts, place);
    checkShape(facts, limits, place);
    return hello;
  },
};

/** Bytes of a section, at most: a hello fits into much less. */
const maxSectionBytes = 1_048_576;

/**
 * Returns what a module's section says of the plugin.
 *
 * @throws AnyplugError FAILED_PRECONDITION when there is none, more than one, one of another version, or one that cannot be read.
 */
function checkSection({ sections }: Pick<ModuleFacts, "sections">, place: string): Hello {
  const refuse = (why: string) => new AnyplugError(Code.FailedPrecondition, `${place} ${why}`);
  const [section, second] = sections;
  if (section === undefined) {
    throw refuse('is no plugin: it has no section "anyplug"; build it with the anyplug SDK');
  }
  const long = sections.some(({ length }) => length > maxSectionBytes);
  if (long) throw refuse(`has a section "anyplug" of more than ${maxSectionBytes} bytes`);
  if (second !== undefined) throw refuse('has two sections "anyplug"; a plugin has one');
  if (section.length < 4) throw refuse(`has a section "anyplug" of ${section.length} bytes`);
  const version = new DataView(section.buffer, section.byteOffset).getUint32(0, true);
  if (version !== abiVersion) {
    const speaks = `speaks version ${version} of the embedded ABI, and this host speaks ${abiVersion}`;
    throw refuse(`${speaks}; build it with the SDK of this version`);
  }
  let hello: Hello;
  try {
    hello = decodeHello(section.subarray(4));
  } catch {
    throw refuse('has a section "anyplug" that holds no Hello');
  }
  if (hello.name !== "" && hello.version !== "") return hello;
  throw refuse('has a section "anyplug" that does not tell the plugin\'s name and version');
}

/**
 * Checks imports, exports and memory.
 *
 * @throws AnyplugError FAILED_PRECONDITION naming all that is missing, RESOURCE_EXHAUSTED when it begins with more memory than it may have.
 */
function checkShape(
  { exports, imports, memories }: Omit<ModuleFacts, "sections">,
  limits: WasmLimits,
  place: string,
): void {
  const faults = [
    ...Object.entries(exported).map(([name, type]) => exportFault(exports, name, type)),
    memoryFault(exports),
    initializeFault(exports, imports),
  ].filter((fault) => fault !== undefined);
  faults.push(...importFaults(imports, { anyplug: imported, [wasiModule]: wasiTypesOf(limits) }));
  if (faults.length > 0) throw refused(place, faults.join("; "));
  checkMemories(memories, limits, place);
}

/** Functions that a module may import: types by name, by the module that they are imported from. */
export type Importable = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What a module wants that there is not, all of it in one message; nothing when there is all. */
export function importFaults(imports: readonly ImportEntry[], importable: Importable): readonly string[] {
  const wanted = imports
    .filter(({ module, name, kind, type }) => {
      const known = Object.hasOwn(importable, module) ? importable[module] : undefined;
      const expected = known !== undefined && Object.hasOwn(known, name) ? known[name] : undefined;
      return kind !== "function" || !fits(type, expected);
    })
    .map(({ module, name, kind, type }) => `${module}.${name} ${type ?? `(a ${kind})`}`);
  return wanted.length > 0 ? [`this host does not have what it imports: ${wanted.join(", ")}`] : [];
}

/** @throws AnyplugError RESOURCE_EXHAUSTED when a module begins with more memory than it may have. */
export function checkMemories(memories: readonly MemoryType[], limits: WasmLimits, place: string): void {
  const bytes = memories.reduce((sum, { initialPages }) => sum + initialPages, 0) * pageBytes;
  if (bytes <= limits.maxMemoryBytes) return;
  const most = `and may have ${limits.maxMemoryBytes}; raise wasm.maxMemoryBytes`;
  const message = `${place} begins with ${bytes} bytes of memory, ${most}`;
  throw new AnyplugError(Code.ResourceExhausted, message);
}

/** What a module that was built for WASI wants to be called first. */
function initializeFault(exports: readonly Entry[], imports: readonly ImportEntry[]): string | undefined {
  const found = exports.find(({ name, kind }) => name === initialize && kind === "function");
  const isForWasi = imports.some(({ module }) => module === wasiModule);
  return isForWasi && found !== undefined && !fits(found.type, "()")
    ? `its export ${initialize} is ${found.type}, expected ()`
    : undefined;
}

function exportFault(exports: readonly Entry[], name: string, type: string): string | undefined {
  const found = exports.find((entry) => entry.name === name);
  if (found === undefined) return `it exports no ${name} ${type}`;
  if (found.kind !== "function") return `its export ${name} is a ${found.kind}, expected ${type}`;
  return fits(found.type, type) ? undefined : `its export ${name} is ${found.type}, expected ${type}`;
}

function memoryFault(exports: readonly Entry[]): string | undefined {
  const found = exports.find(({ name }) => name === "memory");
  if (found === undefined) return "it exports no memory";
  if (found.kind !== "memory") return `its export memory is a ${found.kind}`;
  return whyUnusable(found.memory);
}

function whyUnusable(memory: MemoryType | undefined): string | undefined {
  if (memory?.isShared) return "its memory is shared";
  return memory?.is64 ? "its memory is of 64 bits, expected one of 32" : undefined;
}

/** A type that is not known is left to the engine. */
function fits(type: string | undefined, expected: string | undefined): boolean {
  return expected !== undefined && (type === undefined || type === expected);
}

/** Why a module is no plugin for this host. */
export function refused(place: string, why: string): AnyplugError {
  return new AnyplugError(Code.FailedPrecondition, `${place} cannot be loaded: ${why}`);
}
