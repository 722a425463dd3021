/** Compiled modules, shared by all plugins of the process that are made of the same bytes. */

import { AnyplugError, Code } from "@anyplug/core";
import { instrument } from "./instrument.js";
import type { WasmLimits } from "./limits.js";
import { type ModuleFacts, readModule, sectionName } from "./module.js";
import { wasiModule } from "./wasi.js";

/** A kind of modules: those of this ABI, or of another. */
export interface ModuleKind<About> {
  readonly name: string;
  /** Returns what is kept of a module. @throws AnyplugError FAILED_PRECONDITION when it is none of this kind, RESOURCE_EXHAUSTED when it is over a limit. */
  check(facts: ModuleFacts, limits: WasmLimits, place: string): About;
}

/** A module that instances can be made of. */
export interface Compiled<About = unknown> {
  readonly module: WebAssembly.Module;
  /** What is known of it. */
  readonly about: About;
  /** It was given checkpoints, and its memory and tables have their caps. */
  readonly isInstrumented: boolean;
  /** It was built for WASI. */
  readonly usesWasi: boolean;
}

interface Entry {
  readonly bytes: Uint8Array;
  /** Its kind, and the limits that are part of the code, or that it was checked by. */
  readonly caps: string;
  /** Whoever has a plugin of it holds it; else it may go. */
  compiled: WeakRef<Compiled>;
}

/** By the number of their bytes; those with the same number are compared. */
const cache = new Map<number, Entry[]>();
const compiling = new Map<number, { bytes: Uint8Array; caps: string; compiled: Promise<Compiled> }[]>();
const forgotten = new FinalizationRegistry<Entry>((entry) => {
  const { length } = entry.bytes;
  const left = (cache.get(length) ?? []).filter((one) => one !== entry);
  if (left.length > 0) cache.set(length, left);
  else cache.delete(length);
});

/**
 * Returns the compiled module of these bytes: that of another plugin, where it has been compiled with the same limits before.
 *
 * @param place what the module is called in errors
 * @throws AnyplugError (rejects) INVALID_ARGUMENT when the bytes are no module, FAILED_PRECONDITION when it is no plugin for this host, RESOURCE_EXHAUSTED when it is over a limit.
 */
export async function compile<About>(
  bytes: Uint8Array<ArrayBuffer>,
  kind: ModuleKind<About>,
  limits: WasmLimits,
  place: string,
): Promise<Compiled<About>> {
  const { maxMemoryBytes, maxTables, maxTableElements, wasiFiles } = limits;
  const hasFiles = wasiFiles === undefined ? "" : "files";
  const caps = [kind.name, hasFiles, maxMemoryBytes, maxTables, maxTableElements].join(" ");
  const known = find(cache.get(bytes.length), bytes, caps)?.compiled.deref();
  if (known !== undefined) return known as Compiled<About>;
  const pending = find(compiling.get(bytes.length), bytes, caps);
  if (pending !== undefined) return pending.compiled as Promise<Compiled<About>>;
  const compiled = compileNew(bytes, kind, limits, place);
  const job = { bytes, caps, compiled };
  compiling.set(bytes.length, [...(compiling.get(bytes.length) ?? []), job]);
  try {
    const done = await compiled;
    const entry = { bytes, caps, compiled: new WeakRef(done) };
    forgotten.register(done, entry);
    cache.set(bytes.length, [...(cache.get(bytes.length) ?? []), entry]);
    return done;
  } finally {
    const left = (compiling.get(bytes.length) ?? []).filter((one) => one !== job);
    if (left.length > 0) compiling.set(bytes.length, left);
    else compiling.delete(bytes.length);
  }
}

/**
 * Checks a module that was compiled already. It runs as it is: it has no checkpoints and no caps.
 *
 * @throws AnyplugError FAILED_PRECONDITION when it is no plugin for this host.
 */
export function adopt<About>(
  module: WebAssembly.Module,
  kind: ModuleKind<About>,
  limits: WasmLimits,
  place: string,
): Compiled<About> {
  const sections = WebAssembly.Module.customSections(module, sectionName).map((section) => new Uint8Array(section));
  const imports = WebAssembly.Module.imports(module);
  const exports = WebAssembly.Module.exports(module);
  const about = kind.check({ sections, imports, exports, memories: [] }, limits, place);
  return { module, about, isInstrumented: false, usesWasi: importsWasi(imports) };
}

async function compileNew<About>(
  bytes: Uint8Array<ArrayBuffer>,
  kind: ModuleKind<About>,
  limits: WasmLimits,
  place: string,
): Promise<Compiled<About>> {
  let facts: ModuleFacts;
  try {
    facts = readModule(bytes);
  } catch (error) {
    throw noModule(place, error instanceof RangeError ? `is no valid WebAssembly module: ${error.message}` : error);
  }
  const about = kind.check(facts, limits, place);
  // What is appended to a module could make an invalid one valid, so it is looked at as it came.
  if (!WebAssembly.validate(bytes)) {
    throw noModule(place, `is no valid WebAssembly module: ${AnyplugError.from(await whyInvalid(bytes)).message}`);
  }
  const module = await WebAssembly.compile(await limited(bytes, limits, place));
  return { module, about, isInstrumented: true, usesWasi: importsWasi(facts.imports) };
}

function importsWasi(imports: readonly { module: string }[]): boolean {
  return imports.some(({ module }) => module === wasiModule);
}

async function limited(bytes: Uint8Array, limits: WasmLimits, place: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await instrument(bytes, limits);
  } catch (error) {
    const { code, message } = AnyplugError.from(error);
    throw new AnyplugError(code, `${place} cannot be loaded: ${message}`, { cause: error });
  }
}

async function whyInvalid(bytes: Uint8Array<ArrayBuffer>): Promise<unknown> {
  return WebAssembly.compile(bytes).then(
    () => "it is not valid",
    (error: unknown) => error,
  );
}

function noModule(place: string, why: unknown): AnyplugError {
  const text = why instanceof Error ? why.message : String(why);
  return new AnyplugError(Code.InvalidArgument, `${place} ${text}`);
}

function find<E extends { bytes: Uint8Array; caps: string }>(
  entries: readonly E[] | undefined,
  bytes: Uint8Array,
  caps: string,
): E | undefined {
  return entries?.find((entry) => entry.caps === caps && isSame(entry.bytes, bytes));
}

/** Node compares a hundred times as fast. */
const { Buffer: memory } = globalThis as { Buffer?: { compare(one: Uint8Array, other: Uint8Array): number } };

/** Whether both, which are of the same length, hold the same. */
function isSame(one: Uint8Array, other: Uint8Array): boolean {
  if (one === other) return true;
  if (memory !== undefined) return memory.compare(one, other) === 0;
  const whole = one.length >>> 2;
  const words = new Uint32Array(one.buffer, 0, whole);
  const others = new Uint32Array(other.buffer, 0, whole);
  for (let index = 0; index < whole; index++) if (words[index] !== others[index]) return false;
  for (let index = whole * 4; index < one.length; index++) if (one[index] !== other[index]) return false;
  return true;
}
