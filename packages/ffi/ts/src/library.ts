/** A shared library: from its file to its table of functions. */

import { constants, copyFile, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { AnyplugError, type Hello } from "@anyplug/core";
import { checkElf } from "./elf.js";
import { noLibrary, refused } from "./failure.js";
import { type Native, native } from "./native.js";
import { readTable, type Table } from "./table.js";

const entry = "anyplug_plugin";

/** A loaded library. */
export class Library {
  /** What the table says of the plugin. */
  readonly hello: Hello;
  readonly table: Table;
  readonly native: Native;
  readonly #unload: () => void;

  private constructor(native: Native, table: Table, hello: Hello, unload: () => void) {
    this.native = native;
    this.table = table;
    this.hello = hello;
    this.#unload = unload;
  }

  /**
   * Loads the library at a path. It is loaded from a copy, so that the file may be written again, and is then loaded as what it is by that time.
   *
   * @throws AnyplugError (rejects) INVALID_ARGUMENT when it is no shared library, FAILED_PRECONDITION when it is no plugin for this host.
   */
  static async load(path: string, place: string = path): Promise<Library> {
    const file = await open(path);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) throw noLibrary(place, "it is no file");
      await checkElf(file, stat.size, place);
    } finally {
      await file.close();
    }
    const calls = await native();
    const folder = await mkdtemp(join(tmpdir(), "anyplug-ffi-"));
    let library: ReturnType<Native["koffi"]["load"]>;
    try {
      const copy = join(folder, basename(path));
      await copyFile(path, copy, constants.COPYFILE_FICLONE);
      library = openLibrary(calls, copy, place);
    } finally {
      // Where a file that is in use cannot be removed, it stays in the temporary folder.
      await rm(folder, { recursive: true, force: true }).catch(() => {});
    }
    try {
      const { table, hello } = readTable(calls, callEntry(library, place), place);
      return new Library(calls, table, hello, () => library.unload());
    } catch (error) {
      library.unload();
      throw AnyplugError.from(error);
    }
  }

  /** Lets the library go. Nothing of it may be used afterwards, and none of its threads may run. */
  unload(): void {
    this.#unload();
  }
}

function openLibrary({ koffi }: Native, copy: string, place: string): ReturnType<Native["koffi"]["load"]> {
  try {
    return koffi.load(copy);
  } catch (error) {
    const why = AnyplugError.from(error).message.replaceAll(copy, place);
    throw refused(place, `cannot be loaded: ${why}`);
  }
}

/** Returns where the table is; 0: there is none. */
function callEntry(library: ReturnType<Native["koffi"]["load"]>, place: string): number {
  let plugin: () => number;
  try {
    plugin = library.func(entry, "uint64_t", []) as () => number;
  } catch {
    throw refused(place, `is no plugin: it does not export ${entry}; build it with the anyplug SDK`);
  }
  return plugin();
}
