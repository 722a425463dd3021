/** One instance of an Extism plugin, and the calls into it. */

import { AnyplugError, Code } from "@anyplug/core";
import type { Compiled } from "../compile.js";
import { exhausted, failureOf, Stop } from "../failure.js";
import type { WasmLimits } from "../limits.js";
import { GuestMemory } from "../memory.js";
import { startInstance } from "../start.js";
import { Surroundings } from "../surroundings.js";
import { wasiModule } from "../wasi.js";
import { Watch } from "../watch.js";
import { type ExtismFacts, environment, userModule } from "./check.js";
import { Kernel } from "./kernel.js";
import type { ExtismSettings } from "./settings.js";

/** A running instance. After it has failed, nothing of it is looked at. */
export class ExtismGuest {
  /** It ended, and is of no use any more. */
  hasFailed = false;
  readonly #name: string;
  readonly #limits: WasmLimits;
  readonly #watch: Watch;
  readonly #kernel: Kernel;
  readonly #surroundings: Surroundings;
  readonly #exports: WebAssembly.Exports;
  readonly #onLog: ExtismSettings["onLog"];

  /** Makes an instance and gets it ready. @throws AnyplugError as every call into it. */
  constructor(compiled: Compiled<ExtismFacts>, settings: ExtismSettings, limits: WasmLimits) {
    const { name, onLog } = settings;
    this.#name = name;
    this.#limits = limits;
    this.#onLog = onLog;
    this.#watch = new Watch(name, limits, () => Number.POSITIVE_INFINITY);
    this.#surroundings = new Surroundings(name, "Extism", this.#watch, limits.wasiFiles);
    this.#kernel = new Kernel(settings, limits, this.#watch, this.#surroundings);
    this.#watch.begin(undefined);
    this.#exports = this.#instantiate(compiled);
    const { memory } = this.#exports;
    if (memory instanceof WebAssembly.Memory) this.#surroundings.use(new GuestMemory(memory));
    this.#run(() => startInstance(compiled, this.#exports, this.#watch, true));
    this.#kernel.end();
  }

  /**
   * Calls a function, and returns its output.
   *
   * @param deadline by the clock of `performance.now`
   * @throws AnyplugError INTERNAL with the plugin's own words when it says that it failed, or when it trapped, DEADLINE_EXCEEDED when it was stopped, RESOURCE_EXHAUSTED when it is over a limit.
   */
  call(name: string, input: Uint8Array, deadline: number): Uint8Array {
    const kernel = this.#kernel;
    kernel.begin(input);
    this.#watch.begin(deadline);
    this.#surroundings.begin();
    try {
      const run = this.#exports[name] as () => unknown;
      const status = this.#run(run);
      const error = kernel.error();
      if (error !== undefined) throw new AnyplugError(Code.Internal, error);
      if (status === 0) return kernel.output();
      const said = `returned ${status} from "${name}", and set no error`;
      throw new AnyplugError(Code.Internal, `plugin "${this.#name}" ${said}`);
    } finally {
      kernel.end();
      this.#surroundings.tellLogs(this.#onLog);
    }
  }

  /** It is not needed any more. */
  close(): void {
    this.#surroundings.close();
  }

  #instantiate({ module, usesWasi }: Compiled): WebAssembly.Exports {
    const { functions, userFunctions } = this.#kernel;
    const own = { [environment]: { ...functions }, [userModule]: { ...userFunctions } };
    const imports = usesWasi ? { ...own, [wasiModule]: this.#surroundings.wasi() } : own;
    try {
      return new WebAssembly.Instance(module, imports).exports;
    } catch (error) {
      throw this.#failure(error);
    }
  }

  #run(run: () => unknown): unknown {
    let result: unknown;
    try {
      result = run();
    } catch (error) {
      throw this.#fail(error);
    }
    if (this.#watch.ended !== undefined) throw this.#fail(this.#watch.ended);
    return result;
  }

  #fail(thrown: unknown): AnyplugError {
    this.hasFailed = true;
    this.close();
    return this.#failure(thrown);
  }

  #failure(thrown: unknown): AnyplugError {
    const ended = this.#watch.ended ?? thrown;
    if (!(ended instanceof Stop) && this.#kernel.blocks.isFull) {
      const what = `ended: it wants more of its host's memory, and may have ${this.#limits.maxMemoryBytes} bytes`;
      return exhausted(this.#name, what, "maxMemoryBytes");
    }
    return failureOf(ended, { name: this.#name, limits: this.#limits, refused: this.#watch.refused });
  }
}
