/** An Extism plugin: bytes in, bytes out. */

import { AnyplugError, Code } from "@anyplug/core";
import { adopt, type Compiled, compile } from "../compile.js";
import { enforcedBy, type WasmLimits, wasmLimits } from "../limits.js";
import { readSource, type WasmSource } from "../source.js";
import { type ExtismFacts, extismModule } from "./check.js";
import { ExtismGuest } from "./guest.js";
import { type ExtismOptions, type ExtismSettings, extismSettings } from "./settings.js";

/** What can be said about one call. */
export interface ExtismCallOptions {
  /** Milliseconds that it may take. Default: as `callTimeoutMs` of the group `wasm` says. */
  readonly timeoutMs?: number | undefined;
}

/** A loaded Extism plugin. It lives until it is closed. */
export class ExtismPlugin implements AsyncDisposable {
  /** As the options say. */
  readonly name: string;
  /** The functions that can be called: those that it exports as `() -> i32`. */
  readonly functions: readonly string[];
  /** The limits that hold, each with how: "callTimeout: instrumented". */
  readonly enforced: readonly string[];
  readonly #compiled: Compiled<ExtismFacts>;
  readonly #settings: ExtismSettings;
  readonly #limits: WasmLimits;
  #guest: ExtismGuest | undefined;
  #isRunning = false;
  #isClosed = false;

  private constructor(compiled: Compiled<ExtismFacts>, settings: ExtismSettings, limits: WasmLimits) {
    this.name = settings.name;
    this.functions = compiled.about.functions;
    this.enforced = [
      ...enforcedBy(compiled.isInstrumented, limits),
      "maxVarBytes: by the host",
      "maxHttpResponseBytes: by the host",
    ];
    this.#compiled = compiled;
    this.#settings = settings;
    this.#limits = limits;
    this.#guest = new ExtismGuest(compiled, settings, limits);
  }

  /** Loads a module; see `loadExtism`. @throws AnyplugError (rejects) */
  static async load(source: WasmSource, options: ExtismOptions, place: string): Promise<ExtismPlugin> {
    const settings = extismSettings(options);
    const limits = wasmLimits(options.wasm);
    const kind = extismModule(Object.keys(settings.functions));
    const read = await readSource(source, limits, place);
    const compiled =
      read instanceof WebAssembly.Module ? adopt(read, kind, limits, place) : await compile(read, kind, limits, place);
    return new ExtismPlugin(compiled, settings, limits);
  }

  /**
   * Calls a function. It runs on this thread, before the promise is returned; an instance that fails is replaced by the next call, without its variables.
   *
   * @throws AnyplugError (rejects) INTERNAL with the plugin's own words when it says that it failed, or when it trapped; UNIMPLEMENTED for a function that it has not; DEADLINE_EXCEEDED when it was stopped,
   * RESOURCE_EXHAUSTED when it is over a limit, PERMISSION_DENIED when it asks a host that it was not granted, UNAVAILABLE when the plugin is closed.
   */
  async call(name: string, input: Uint8Array | string = "", options: ExtismCallOptions = {}): Promise<Uint8Array> {
    return this.callSync(name, input, options);
  }

  /** As `call`, without a promise. @throws AnyplugError as `call`. */
  callSync(name: string, input: Uint8Array | string = "", { timeoutMs }: ExtismCallOptions = {}): Uint8Array {
    if (this.#isClosed) throw new AnyplugError(Code.Unavailable, `plugin "${this.name}" was closed`);
    if (this.#isRunning) {
      const message = `plugin "${this.name}" is running: what it calls of its host cannot call it`;
      throw new AnyplugError(Code.FailedPrecondition, message);
    }
    if (!this.functions.includes(name)) throw this.#unknown(name);
    const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
    this.#isRunning = true;
    try {
      if (this.#guest === undefined || this.#guest.hasFailed) {
        this.#guest = new ExtismGuest(this.#compiled, this.#settings, this.#limits);
      }
      const deadline = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
      return this.#guest.call(name, bytes, deadline);
    } finally {
      this.#isRunning = false;
    }
  }

  /** Closes the plugin: new calls are refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#guest?.close();
    this.#guest = undefined;
  }

  /** `await using plugin = await loadExtism(…)` closes it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #unknown(name: string): AnyplugError {
    const has = this.functions.length === 0 ? "it has none" : `it has: ${this.functions.join(", ")}`;
    const message = `plugin "${this.name}" has no function ${JSON.stringify(name)}; ${has}`;
    return new AnyplugError(Code.Unimplemented, message);
  }
}
