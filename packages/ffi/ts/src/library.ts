/** A shared library: from its file to its table of functions. */

import { AnyplugError, type Hello } from "@anyplug/core";
import { manifestFunction } from "./elizaos.js";
import { refused } from "./failure.js";
import type { Native } from "./native.js";
import { SharedLibrary } from "./shared.js";
import { readTable, type Table } from "./table.js";

const entry = "anyplug_plugin";

/** A loaded library. */
export class Library {
  /** What the table says of the plugin. */
  readonly hello: Hello;
  readonly table: Table;
  readonly native: Native;
  readonly #shared: SharedLibrary;

  private constructor(shared: SharedLibrary, table: Table, hello: Hello) {
    this.native = shared.native;
    this.table = table;
    this.hello = hello;
    this.#shared = shared;
  }

  /**
   * Loads the library at a path, as `SharedLibrary.open` does.
   *
   * @throws AnyplugError (rejects) INVALID_ARGUMENT when it is no shared library, FAILED_PRECONDITION when it is no plugin for this host.
   */
  static async load(path: string, place: string = path): Promise<Library> {
    const shared = await SharedLibrary.open(path, place);
    try {
      const { table, hello } = readTable(shared.native, callEntry(shared, place), place);
      return new Library(shared, table, hello);
    } catch (error) {
      shared.unload();
      throw AnyplugError.from(error);
    }
  }

  /** Lets the library go. Nothing of it may be used afterwards, and none of its threads may run. */
  unload(): void {
    this.#shared.unload();
  }
}

/** Returns where the table is; 0: there is none. */
function callEntry(library: SharedLibrary, place: string): number {
  const plugin = library.function(entry, "uint64_t", []);
  if (plugin !== undefined) return plugin();
  const advice =
    library.function(manifestFunction, "uint64_t", []) === undefined
      ? "build it with the anyplug SDK"
      : "it is one of ElizaOS, by its C ABI: load it by loadLibraryPlugin of @anyplug/elizaos";
  throw refused(place, `is no plugin: it does not export ${entry}; ${advice}`);
}
