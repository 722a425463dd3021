/** One instance of a module, and the calls into it. It does not call back: what the guest sent lies in `imports` afterwards. */

import type { AnyplugError, Hello } from "@anyplug/core";
import { abiVersion } from "./check.js";
import type { Compiled } from "./compile.js";
import { broken, exhausted, failureOf } from "./failure.js";
import { Imports } from "./imports.js";
import type { WasmLimits } from "./limits.js";
import { GuestMemory } from "./memory.js";
import { startInstance } from "./start.js";
import { wasiModule } from "./wasi.js";
import { Watch } from "./watch.js";

interface Exports {
  readonly memory: WebAssembly.Memory;
  anyplug_abi(): number;
  anyplug_alloc(size: number): number;
  anyplug_free(pointer: number, size: number): void;
  anyplug_recv(pointer: number, size: number): void;
  anyplug_call(call: number, method: number, pointer: number, size: number): number;
}

/** Where the fields of the exchange area are. */
const field = { version: 0, scratch: 4, scratchBytes: 8, result: 12, resultBytes: 16, wake: 20 } as const;
const exchangeBytes = 24;
const leastScratchBytes = 4096;

/** The flag HEADER in the method word of `anyplug_call`. */
const headerFlag = 2 << 16;

/** `wake`: not by itself. */
export const never = 0xffff_ffff;

/** A running instance. After it has failed, nothing of it is looked at. */
export class Guest {
  readonly imports: Imports;
  readonly memory: GuestMemory;
  readonly #name: string;
  readonly #limits: WasmLimits;
  readonly #watch: Watch;
  readonly #exports: Exports;
  #exchange = 0;
  #scratch = 0;
  #scratchBytes = 0;
  #failed: AnyplugError | undefined;
  /** Where the message is for the call that is about to be made. */
  #placed = 0;
  #allocated = 0;

  /**
   * Makes an instance and gets it ready.
   *
   * @param latestDeadline when the last of the calls is over that wait for the guest, by the clock of `performance.now`
   * @throws AnyplugError as every call into it.
   */
  constructor(compiled: Compiled<Hello>, limits: WasmLimits, latestDeadline: () => number) {
    const { name } = compiled.about;
    this.#name = name;
    this.#limits = limits;
    this.#watch = new Watch(name, limits, latestDeadline);
    this.imports = new Imports(name, limits, this.#watch);
    this.#watch.begin(undefined);
    const exports = this.#instantiate(compiled);
    this.#exports = exports as unknown as Exports;
    this.memory = new GuestMemory(this.#exports.memory);
    this.imports.use(this.memory);
    try {
      this.#start(compiled, exports);
      this.#getReady();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Whether it ended, and is of no use any more. */
  get hasFailed(): boolean {
    return this.#failed !== undefined;
  }

  /** Milliseconds until the guest wants to be called; `never`. */
  get wake(): number {
    return this.memory.word(this.#exchange + field.wake);
  }

  /** Bytes of the result of the last `call`. */
  get resultBytes(): number {
    return this.memory.word(this.#exchange + field.resultBytes);
  }

  /**
   * Returns where the result of the last `call` begins.
   *
   * @throws AnyplugError INTERNAL when the guest does not have that range; it has failed then.
   */
  result(): number {
    const pointer = this.memory.word(this.#exchange + field.result);
    const size = this.resultBytes;
    if (this.memory.has(pointer, size)) return pointer;
    throw this.#fail(this.#watch.end(broken(this.#name, this.#outside("the result", pointer, size))));
  }

  /**
   * Makes room for bytes that the guest is to get by the next `receive` or `call`, and returns where.
   *
   * @throws AnyplugError when the guest failed; undefined when it has no room.
   */
  place(size: number): number | undefined {
    this.imports.begin();
    this.#allocated = 0;
    this.#placed = this.#scratch;
    if (size <= this.#scratchBytes) return this.#scratch;
    this.#watch.begin(undefined);
    const pointer = this.#alloc(size);
    if (pointer === 0) return undefined;
    this.#allocated = size;
    this.#placed = pointer;
    return pointer;
  }

  /** The guest takes the bytes that were placed; 0: nothing came, and it does what is due. @throws AnyplugError when it failed. */
  receive(size: number): void {
    this.#watch.begin(undefined);
    this.imports.begin();
    try {
      this.#exports.anyplug_recv(size === 0 ? 0 : this.#placed, size);
    } catch (error) {
      throw this.#fail(error);
    }
    if (this.#watch.ended !== undefined) throw this.#fail(this.#watch.ended);
    if (this.#allocated > 0) this.#release();
  }

  /** Makes a call with what was placed. Returns 0, 1 or 2, as the ABI says. @throws AnyplugError when the guest failed. */
  call(call: number, method: number, hasHeader: boolean, size: number, deadline: number): number {
    this.#watch.begin(deadline);
    let state: number;
    try {
      state = this.#exports.anyplug_call(call, hasHeader ? method | headerFlag : method, this.#placed, size);
    } catch (error) {
      throw this.#fail(error);
    }
    if (this.#watch.ended !== undefined) throw this.#fail(this.#watch.ended);
    if (state >= 0 && state <= 2) return state;
    throw this.#fail(this.#watch.end(broken(this.#name, `anyplug_call returned ${state}, expected 0, 1 or 2`)));
  }

  /** Gives back what was allocated for the last call. Its result is gone then. @throws AnyplugError when the guest failed. */
  release(): void {
    if (this.#allocated > 0) this.#release();
  }

  /** It is not needed any more. */
  close(): void {
    this.imports.close();
  }

  /** Whether room was allocated that is to be given back. */
  get isAllocated(): boolean {
    return this.#allocated > 0;
  }

  #release(): void {
    const size = this.#allocated;
    this.#allocated = 0;
    try {
      this.#exports.anyplug_free(this.#placed, size);
    } catch (error) {
      throw this.#fail(error);
    }
    if (this.#watch.ended !== undefined) throw this.#fail(this.#watch.ended);
  }

  #alloc(size: number): number {
    let pointer: number;
    try {
      pointer = this.#exports.anyplug_alloc(size) >>> 0;
    } catch (error) {
      throw this.#fail(error);
    }
    if (this.#watch.ended !== undefined) throw this.#fail(this.#watch.ended);
    if (this.memory.has(pointer, size)) return pointer;
    throw this.#fail(this.#watch.end(broken(this.#name, this.#outside("anyplug_alloc", pointer, size))));
  }

  #instantiate({ module, usesWasi }: Compiled): WebAssembly.Exports {
    const anyplug = { ...this.imports.functions };
    try {
      const imports = usesWasi ? { anyplug, [wasiModule]: this.imports.wasi() } : { anyplug };
      return new WebAssembly.Instance(module, imports).exports;
    } catch (error) {
      throw failureOf(this.#watch.ended ?? error, { name: this.#name, limits: this.#limits, refused: undefined });
    }
  }

  /** Lets the guest be asked at its checkpoints, and then runs what is to run before all else. */
  #start(compiled: Compiled, exports: WebAssembly.Exports): void {
    try {
      startInstance(compiled, exports, this.#watch);
    } catch (error) {
      throw this.#fail(error);
    }
    if (this.#watch.ended !== undefined) throw this.#fail(this.#watch.ended);
  }

  #getReady(): void {
    let exchange: number;
    this.#watch.begin(undefined);
    try {
      exchange = this.#exports.anyplug_abi() >>> 0;
    } catch (error) {
      throw this.#fail(error);
    }
    if (this.#watch.ended !== undefined) throw this.#fail(this.#watch.ended);
    const { memory } = this;
    if (!memory.has(exchange, exchangeBytes) || exchange % 4 !== 0) {
      throw this.#fail(
        this.#watch.end(broken(this.#name, this.#outside("the exchange area", exchange, exchangeBytes))),
      );
    }
    const version = memory.word(exchange + field.version);
    if (version !== abiVersion) {
      throw this.#fail(
        this.#watch.end(broken(this.#name, `its exchange area says version ${version}, its section ${abiVersion}`)),
      );
    }
    this.#exchange = exchange;
    this.#scratch = memory.word(exchange + field.scratch);
    this.#scratchBytes = memory.word(exchange + field.scratchBytes);
    if (this.#scratchBytes >= leastScratchBytes && memory.has(this.#scratch, this.#scratchBytes)) return;
    throw this.#fail(
      this.#watch.end(broken(this.#name, this.#outside("the scratch buffer", this.#scratch, this.#scratchBytes))),
    );
  }

  /** The guest is of no use any more. Returns why. */
  #fail(thrown: unknown): AnyplugError {
    this.#failed ??= failureOf(this.#watch.ended ?? thrown, {
      name: this.#name,
      limits: this.#limits,
      refused: this.#watch.refused,
    });
    return this.#failed;
  }

  #outside(what: string, pointer: number, size: number): string {
    return `${what} is ${size} bytes at ${pointer}, and its memory has ${this.memory.length}`;
  }

  /** Why a message cannot be given to it. */
  noRoom(size: number): AnyplugError {
    return exhausted(this.#name, `has no room for a message of ${size} bytes`, "maxMemoryBytes");
  }
}
