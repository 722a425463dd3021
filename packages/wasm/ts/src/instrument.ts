/** Makes a module stoppable on its own thread: see docs/wasm-limits.md. */

import { AnyplugError, Code } from "@anyplug/core";
import { instrumenter } from "#instrumenter";

/** What a module may have. */
export interface InstrumentLimits {
  /** Bytes of memory; what is not a whole page of 64 KiB is left out. */
  readonly maxMemoryBytes: number;
  /** How many tables it may define. */
  readonly maxTables: number;
  /** How many elements each of them may have. */
  readonly maxTableElements: number;
}

/**
 * The export of the table at whose index 0 the host puts a `checkpointFunction`, before it calls anything. At index 1 it may put another one, which is told when memory could not
 * grow: with the pages that were wanted in all; or a table: with the elements, below 0.
 */
export const CHECKPOINT_TABLE = "anyplug:checkpoint";
/** The export that returns the counter: units of work until the next checkpoint. */
export const COUNTER_LEFT = "anyplug:left";
/** The export that sets it. */
export const COUNTER_SET = "anyplug:set";
/** The export that was the start function, if the module had one. The host calls it, once the table is filled. */
export const START = "anyplug:start";

interface Instrumenter {
  readonly memory: WebAssembly.Memory;
  input(length: number): number;
  run(maxMemoryBytes: number, maxTables: number, maxTableElements: number): number;
  output(): number;
  output_length(): number;
}

/** What `run` returns when it refuses a module. */
const refusals = [Code.Internal, Code.InvalidArgument, Code.FailedPrecondition, Code.ResourceExhausted] as const;

let compiled: Promise<WebAssembly.Module> | undefined;

/**
 * Returns the module with checkpoints in it, and with its memory and tables capped. What it exports more is named by the constants here.
 *
 * @throws AnyplugError (rejects) INVALID_ARGUMENT when it is no valid module, FAILED_PRECONDITION when it uses what cannot be held to limits, RESOURCE_EXHAUSTED when it wants more than they allow from the start.
 */
export async function instrument(module: Uint8Array, limits: InstrumentLimits): Promise<Uint8Array<ArrayBuffer>> {
  compiled ??= inflated(fromBase64(instrumenter)).then((bytes) => WebAssembly.compile(bytes));
  // An instance of its own: what a large module needed is given back with it.
  const instance = await WebAssembly.instantiate(await compiled);
  const { memory, input, run, output, output_length } = instance.exports as unknown as Instrumenter;
  const result = () => new Uint8Array(memory.buffer, output(), output_length()).slice();
  let status: number;
  try {
    const at = input(module.length);
    new Uint8Array(memory.buffer, at, module.length).set(module);
    status = run(limits.maxMemoryBytes, asU32(limits.maxTables), asU32(limits.maxTableElements));
  } catch (cause) {
    throw new AnyplugError(Code.Internal, "the module could not be instrumented: the instrumenter failed", { cause });
  }
  const refusal = refusals[status];
  if (status !== 0) throw new AnyplugError(refusal ?? Code.Internal, new TextDecoder().decode(result()));
  return result();
}

/** `(module (import "host" "checkpoint" (func (param f64) (result f64))) (export "checkpoint" (func 0)))` */
const checkpointModule = new Uint8Array([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x06, 0x01, 0x60, 0x01, 0x7c, 0x01, 0x7c],
  ...[0x02, 0x13, 0x01, 0x04, ...ascii("host"), 0x0a, ...ascii("checkpoint"), 0x00, 0x00],
  ...[0x07, 0x0e, 0x01, 0x0a, ...ascii("checkpoint"), 0x00, 0x00],
]);

/**
 * Returns what is put into the table: only functions of WebAssembly can be.
 *
 * @param onCheckpoint takes the counter, which is below zero, and returns the new one, a whole number; or throws, which ends the call into the module with what it threw.
 */
export function checkpointFunction(onCheckpoint: (left: number) => number): unknown {
  const host = { checkpoint: onCheckpoint };
  helper ??= new WebAssembly.Module(checkpointModule);
  return new WebAssembly.Instance(helper, { host }).exports["checkpoint"];
}

let helper: WebAssembly.Module | undefined;

function ascii(text: string): number[] {
  return Array.from(text, (letter) => letter.charCodeAt(0));
}

function asU32(limit: number): number {
  return Math.min(limit, 0xffff_ffff);
}

async function inflated(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
