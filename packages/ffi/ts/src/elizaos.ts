/**
 * A library with ElizaOS's C ABI: functions that take and return JSON as C strings. What the library returns is its own and given back by its `elizaos_free_string`, once and before it is looked at;
 * what it is called with stays the caller's.
 */

import { AnyplugError, Code } from "@anyplug/core";
import { refused } from "./failure.js";
import { Room } from "./memory.js";
import type { Address } from "./native.js";
import { type CFunction, SharedLibrary } from "./shared.js";

/** What every such library exports. */
export const manifestFunction = "elizaos_get_manifest";
const freeFunction = "elizaos_free_string";
/** What those export that are made by ElizaOS's macro: called first, it registers their plugin. */
const registerFunction = "elizaos_plugin_init";

/** How many texts the functions take, and whether they return one; the others return an int. */
const signatures: Readonly<Record<string, readonly [number, "text" | "number"]>> = {
  [manifestFunction]: [0, "text"],
  elizaos_init: [1, "number"],
  elizaos_validate_action: [3, "number"],
  elizaos_invoke_action: [4, "text"],
  elizaos_get_provider: [3, "text"],
  elizaos_validate_evaluator: [3, "number"],
  elizaos_invoke_evaluator: [3, "text"],
};
const pointer = "uint64_t";
/** Bytes of what does not lie among the objects, which move. */
const leastBytes = 128;

/** A loaded library with ElizaOS's C ABI. Its functions run in threads of Node's, one at a time and in the order of the calls. */
export class ElizaosLibrary {
  readonly #shared: SharedLibrary;
  readonly #functions: ReadonlyMap<string, CFunction>;
  readonly #free: CFunction;
  /** The end of the last call. It never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(shared: SharedLibrary, free: CFunction) {
    this.#shared = shared;
    this.#free = free;
    const found = Object.entries(signatures).map(([name, [count, result]]) => {
      const parameters = Array.from({ length: count }, () => pointer);
      return [name, shared.function(name, result === "text" ? pointer : "int", parameters)] as const;
    });
    this.#functions = new Map(found.filter((one): one is [string, CFunction] => one[1] !== undefined));
  }

  /**
   * Loads the library at a path, from a private copy, and has it register its plugin.
   *
   * @throws AnyplugError (rejects) as `SharedLibrary.open`; FAILED_PRECONDITION when it exports no `elizaos_get_manifest` or no `elizaos_free_string`.
   */
  static async open(path: string): Promise<ElizaosLibrary> {
    const shared = await SharedLibrary.open(path);
    const free = shared.function(freeFunction, "void", [pointer]);
    const why = missing(shared, free);
    if (free === undefined || why !== undefined) {
      shared.unload();
      throw refused(path, why ?? "");
    }
    const library = new ElizaosLibrary(shared, free);
    const register = shared.function(registerFunction, "void", []);
    if (register !== undefined) await library.#after(() => run(register));
    return library;
  }

  /** Whether it exports a function of this name. */
  exports(name: string): boolean {
    return this.#functions.has(name);
  }

  /**
   * Calls a function when those that were called before have returned. Gives the int that it returned, or the bytes of its text, whatever they are; undefined for a null pointer.
   *
   * @throws AnyplugError (rejects) UNIMPLEMENTED when the library does not export it, UNAVAILABLE when it was closed, INVALID_ARGUMENT for a text that no C string can be.
   */
  async call(name: string, texts: readonly string[], signal?: AbortSignal): Promise<number | Uint8Array | undefined> {
    if (this.#closing !== undefined) throw new AnyplugError(Code.Unavailable, "the library was closed");
    const called = this.#functions.get(name);
    const [count, result] = signatures[name] ?? [];
    if (called === undefined || count !== texts.length) {
      throw new AnyplugError(Code.Unimplemented, `the library does not export ${name}`);
    }
    return this.#after(async () => {
      // Nobody waits for a call that was given up before it began.
      if (signal?.aborted === true) throw AnyplugError.from(signal.reason, Code.Cancelled);
      const strings = texts.map((text) => this.#string(text));
      const returned = await run(called, ...strings.map(({ address }) => address));
      // They are there until it has returned.
      strings.length = 0;
      return result === "text" ? this.#text(returned) : returned;
    });
  }

  /** Takes no more calls, waits until those that were made have returned, and unloads the library. Closing it again waits for the same end. */
  close(): Promise<void> {
    this.#closing ??= this.#last.then(() => this.#shared.unload());
    return this.#closing;
  }

  #after<Result>(work: () => Promise<Result>): Promise<Result> {
    const running = this.#last.then(work);
    this.#last = running.catch(() => {});
    return running;
  }

  /** A text as C has it. */
  #string(text: string): Room {
    const bytes = Buffer.from(text);
    if (bytes.includes(0)) throw new AnyplugError(Code.InvalidArgument, "a zero byte is in a name");
    const room = new Room(this.#shared.native, Math.max(bytes.length + 1, leastBytes));
    room.bytes.set(bytes);
    room.bytes[bytes.length] = 0;
    return room;
  }

  /** Copies what the library returned, and gives it back. */
  async #text(address: Address): Promise<Uint8Array | undefined> {
    if (address === 0) return undefined;
    const { native } = this.#shared;
    const length = native.length(address);
    const room = new Room(native, Math.max(length, leastBytes));
    native.copy(room.address, address, length);
    await run(this.#free, address);
    return room.bytes.subarray(0, length);
  }
}

function missing(shared: SharedLibrary, free: CFunction | undefined): string | undefined {
  if (shared.function(manifestFunction, pointer, []) === undefined) {
    const own = shared.function("anyplug_plugin", pointer, []) !== undefined;
    const advice = own ? "; it is one of anyplug's own: load it by loadPlugin" : "";
    return `is no plugin of ElizaOS: it does not export ${manifestFunction}${advice}`;
  }
  return free === undefined ? `does not export ${freeFunction}: what it returns could not be given back` : undefined;
}

/** Calls a function in another thread. */
function run(called: CFunction, ...values: Address[]): Promise<number> {
  return new Promise((resolve, reject) => {
    called.async(...values, (error: unknown, returned: number) => {
      if (error === null || error === undefined) resolve(Number(returned));
      else reject(AnyplugError.from(error));
    });
  });
}
