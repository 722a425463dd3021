/** Modules for the tests of the instrumenter, and a host that lets them do a limited amount of work. */

import {
  CHECKPOINT_TABLE,
  COUNTER_LEFT,
  COUNTER_SET,
  checkpointFunction,
  type InstrumentLimits,
  instrument,
} from "@anyplug/wasm/instrument";
import { expect } from "@jest/globals";
import wabt from "wabt";

export type Bytes = Uint8Array<ArrayBuffer>;
type Exported = (...parameters: unknown[]) => unknown;

const limits: InstrumentLimits = { maxMemoryBytes: 4 << 20, maxTables: 4, maxTableElements: 1000 };
const features = { mutable_globals: true, sat_float_to_int: true, sign_extension: true, multi_value: true };
const later = { bulk_memory: true, reference_types: true, tail_call: true };
const { parseWat } = await wabt();

/** Returns the module of a text, which need not be valid. */
export function assemble(text: string, more: Record<string, boolean> = {}): Bytes {
  const module = parseWat("guest.wat", `(module ${text})`, { ...features, ...later, ...more });
  try {
    return Uint8Array.from(module.toBinary({ write_debug_names: false }).buffer);
  } finally {
    module.destroy();
  }
}

/** Returns the module of a text, or of bytes, instrumented; `WebAssembly.compile` takes it, too. */
export async function instrumented(module: string | Bytes, changed: Partial<InstrumentLimits> = {}): Promise<Bytes> {
  const bytes = typeof module === "string" ? assemble(module) : module;
  const output = await instrument(bytes, { ...limits, ...changed });
  await WebAssembly.compile(output);
  return output;
}

/** What is thrown at the last checkpoint. */
export class Stopped extends Error {}

export interface HostOptions {
  readonly imports?: WebAssembly.Imports;
  /** Units of work at a time. */
  readonly slice?: number;
  /** How often. */
  readonly slices?: number;
  readonly limits?: Partial<InstrumentLimits>;
}

/** An instance whose work is limited and counted. */
export class Host {
  readonly instance: WebAssembly.Instance;
  readonly #slice: number;
  #slices: number;
  #granted = 0;

  private constructor(module: WebAssembly.Module, { imports = {}, slice = 1000, slices = 100 }: HostOptions) {
    this.instance = new WebAssembly.Instance(module, imports);
    this.#slice = slice;
    this.#slices = slices;
    const table = this.instance.exports[CHECKPOINT_TABLE] as WebAssembly.Table;
    table.set(
      0,
      checkpointFunction((left) => {
        if (left >= 0) throw new Error(`a checkpoint with ${left} units left`);
        if (this.#slices-- === 0) throw new Stopped("stopped");
        this.#granted += this.#slice - left;
        return this.#slice;
      }),
    );
  }

  static async of(module: string | Bytes, options: HostOptions = {}): Promise<Host> {
    return new Host(await WebAssembly.compile(await instrumented(module, options.limits)), options);
  }

  call(name: string, ...parameters: unknown[]): unknown {
    return this.exported(name)(...parameters);
  }

  exported(name: string): Exported {
    return this.instance.exports[name] as Exported;
  }

  /** Returns the units of work that a call was charged. */
  charged(name: string, ...parameters: unknown[]): number {
    this.call(COUNTER_SET, 0);
    this.#granted = 0;
    this.call(name, ...parameters);
    return this.#granted - (this.call(COUNTER_LEFT) as number);
  }
}

/** Expects that a call of `f` is stopped at a checkpoint. */
export async function expectStopped(module: string | Bytes, options: HostOptions = {}): Promise<void> {
  const host = await Host.of(module, options);
  expect(() => host.call("f")).toThrow(Stopped);
}
