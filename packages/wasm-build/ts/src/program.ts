/** Runs a script in the engine, and takes down what has become of its memory. */

import { BuildError } from "./error.js";
import { clearFreeMemory } from "./heap.js";

/** The engine's functions that a build calls; numbers are pointers into its memory. */
interface Engine {
  readonly memory: WebAssembly.Memory;
  readonly __stack_pointer: WebAssembly.Global;
  _initialize(): void;
  malloc(bytes: number): number;
  free(at: number): void;
  qjs_init(): number;
  qjs_run_gc(): void;
  qjs_set_max_stack_size(bytes: number): void;
  qjs_set_interrupt_handler(isOn: number): void;
  qjs_set_promise_rejection_handler(isOn: number): void;
  qjs_compile(code: number, length: number, file: number, flags: number, stripped: number, written: number): number;
  qjs_eval_bytecode(code: number, length: number): number;
  qjs_new_host_function(name: number, length: number, unused: number): number;
  qjs_get_global(): number;
  qjs_new_object(): number;
  qjs_get_prop_string(object: number, name: number): number;
  qjs_set_prop_string(object: number, name: number, value: number): number;
  qjs_is_exception(value: number): number;
  qjs_is_undefined(value: number): number;
  qjs_get_exception(): number;
  qjs_get_string(value: number): number;
  qjs_free_value(value: number): void;
  qjs_promise_state(promise: number): number;
  qjs_promise_result(promise: number): number;
  boot_area(scratchBytes: number): number;
  boot_settle(): number;
}

/** A program that has run up to where it waits for its host. */
export interface Program {
  /** What `definePlugin` was given; empty when there is no plugin. */
  readonly name: string;
  readonly version: string;
  /** The memory, from its first byte on. */
  readonly memory: Uint8Array;
  /** The values of the engine's variables, by the names under which it exports them. */
  readonly state: ReadonlyMap<string, number | bigint>;
}

/** How deep programs may go, in bytes of the engine's own stack: with more, that of a host's V8 would end first. */
const maxStackBytes = 131_072;
/** Messages up to this size need no room of their own, in bytes. */
const scratchBytes = 65_536;

/** Of `qjs_compile`: a module; and without its source, which `toString` of a function would give. */
const asModule = 1;
const withoutSource = 1 << 4;

/** What `host` of @anyplug/sdk/wasm has. */
const hostFunctions = ["hooks", "send", "answer", "encode", "decode", "wake", "random", "log"];

/**
 * Returns a script in the engine's own code.
 *
 * @throws BuildError when the engine does not understand it.
 */
export function compileProgram(module: WebAssembly.Module, script: string): Uint8Array {
  const running = new Running(module);
  const { engine } = running;
  const code = running.text(script);
  const written = engine.malloc(4);
  const at = engine.qjs_compile(code.at, code.length, running.text("plugin.js").at, asModule, withoutSource, written);
  if (at === 0) throw new BuildError(`the engine cannot read the program: ${running.exception()}`);
  const length = running.view.getUint32(written, true);
  return running.bytes.slice(at, at + length);
}

/**
 * Runs a program.
 *
 * @throws BuildError when it throws, or asks for what is not there yet.
 */
export function runProgram(module: WebAssembly.Module, code: Uint8Array): Program {
  const running = new Running(module);
  const { engine } = running;
  engine.qjs_set_max_stack_size(maxStackBytes);
  engine.qjs_set_interrupt_handler(1);
  engine.qjs_set_promise_rejection_handler(1);
  engine.boot_area(scratchBytes);
  running.defineHost();
  const at = engine.malloc(code.length);
  running.bytes.set(code, at);
  const result = engine.qjs_eval_bytecode(at, code.length);
  running.bytes.fill(0, at, at + code.length);
  engine.free(at);
  if (engine.qjs_is_exception(result) !== 0) throw new BuildError(`the plugin failed: ${running.exception()}`);
  engine.boot_settle();
  running.checkEnded(result);
  const [name, version] = running.pluginNames();
  engine.qjs_free_value(result);
  engine.qjs_run_gc();
  return { name, version, ...running.snapshot() };
}

/** The engine, with a context, while a plugin is built. */
class Running {
  readonly engine: Engine;
  readonly #firstInHeap: number;
  #isProgramRunning = false;

  constructor(module: WebAssembly.Module) {
    this.engine = new WebAssembly.Instance(module, { anyplug: this.#imports() }).exports as unknown as Engine;
    this.#firstInHeap = this.engine.malloc(8);
    this.engine._initialize();
    if (this.engine.qjs_init() !== 0) throw new Error("the engine cannot make a context");
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.engine.memory.buffer);
  }

  get view(): DataView {
    return new DataView(this.engine.memory.buffer);
  }

  /** Puts text into the memory, with a zero behind it. */
  text(text: string): { at: number; length: number } {
    const bytes = new TextEncoder().encode(text);
    const at = this.engine.malloc(bytes.length + 1);
    this.bytes.set(bytes, at);
    this.bytes[at + bytes.length] = 0;
    return { at, length: bytes.length };
  }

  /** Text up to a zero. */
  textAt(at: number): string {
    const { bytes } = this;
    return new TextDecoder().decode(bytes.subarray(at, bytes.indexOf(0, at)));
  }

  /** The error that was thrown, with its stack. */
  exception(): string {
    return this.describe(this.engine.qjs_get_exception());
  }

  describe(error: number): string {
    const text = this.textAt(this.engine.qjs_get_string(error));
    const stack = this.#member(error, "stack");
    return stack === "" ? text : `${text}\n${stack.trimEnd()}`;
  }

  /** Makes the global that @anyplug/sdk/wasm takes its host from. */
  defineHost(): void {
    const { engine } = this;
    const host = engine.qjs_new_object();
    for (const name of hostFunctions) {
      const { at, length } = this.text(name);
      engine.qjs_set_prop_string(host, at, engine.qjs_new_host_function(at, length, 0));
    }
    engine.qjs_set_prop_string(engine.qjs_get_global(), this.text("anyplugHost").at, host);
    this.#isProgramRunning = true;
  }

  /** A module's evaluation is a promise. */
  checkEnded(promise: number): void {
    const state = this.engine.qjs_promise_state(promise);
    if (state === 2)
      throw new BuildError(`the plugin failed: ${this.describe(this.engine.qjs_promise_result(promise))}`);
    if (state === 0) {
      throw new BuildError(
        "the plugin waits for something at its top level; a module is built without a host to wait for",
      );
    }
  }

  /** Name and version of the plugin that the program serves. */
  pluginNames(): [string, string] {
    const { engine } = this;
    const plugin = engine.qjs_get_prop_string(engine.qjs_get_global(), this.text("anyplugPlugin").at);
    if (engine.qjs_is_undefined(plugin) !== 0) return ["", ""];
    return [this.#member(plugin, "name"), this.#member(plugin, "version")];
  }

  snapshot(): Pick<Program, "memory" | "state"> {
    const { engine } = this;
    const state = new Map<string, number | bigint>();
    for (const [name, value] of Object.entries(engine)) {
      if (value instanceof WebAssembly.Global) state.set(name, value.value);
    }
    const memory = this.bytes.slice();
    // What the engine's functions left on their stack, which grows down from where it is now.
    memory.fill(0, 0, engine.__stack_pointer.value);
    clearFreeMemory(memory, this.#firstInHeap);
    return { memory, state };
  }

  #member(object: number, name: string): string {
    const value = this.engine.qjs_get_prop_string(object, this.text(name).at);
    return this.engine.qjs_is_undefined(value) !== 0 ? "" : this.textAt(this.engine.qjs_get_string(value));
  }

  /** Time stands still, so that a build gives the same each time, and of random bytes there are none: all instances would have the same. */
  #imports(): Record<string, (...given: number[]) => number | undefined> {
    return {
      clock: () => 0,
      checkpoint: () => undefined,
      log: (_level = 0, at = 0, length = 0) => {
        process.stderr.write(`${new TextDecoder().decode(this.bytes.subarray(at, at + length))}\n`);
        return undefined;
      },
      send: () => {
        throw new BuildError("the plugin calls its host while it is built; there is none yet");
      },
      random: () => {
        // The engine asks too, for its tables; those may be alike.
        if (!this.#isProgramRunning) return undefined;
        const why = "each instance of the module would begin with the same";
        throw new BuildError(
          `the plugin asks for random bytes while it is built, and ${why}; ask for them when they are needed`,
        );
      },
    };
  }
}
