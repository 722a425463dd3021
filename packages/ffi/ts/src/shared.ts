/** A shared library, whatever it is. */

import { constants, copyFile, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { AnyplugError } from "@anyplug/core";
import { checkElf } from "./elf.js";
import { noLibrary, refused } from "./failure.js";
import { type Native, native } from "./native.js";

type Loaded = ReturnType<Native["koffi"]["load"]>;

/** A function of C. It runs in this thread, or by `async` in another one. */
export interface CFunction {
  (...values: number[]): number;
  /** The last argument is told what the function returned. */
  async(...valuesAndDone: unknown[]): void;
}

/** A loaded library. */
export class SharedLibrary {
  readonly native: Native;
  readonly #loaded: Loaded;

  private constructor(native: Native, loaded: Loaded) {
    this.native = native;
    this.#loaded = loaded;
  }

  /**
   * Loads the library at a path. It is loaded from a copy, so that the file may be written again, and is then loaded as what it is by that time.
   *
   * @param place what it is called in errors
   * @throws AnyplugError (rejects) INVALID_ARGUMENT when it is no shared library, FAILED_PRECONDITION when it is for another machine or cannot be loaded.
   */
  static async open(path: string, place: string = path): Promise<SharedLibrary> {
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
    try {
      const copy = join(folder, basename(path));
      await copyFile(path, copy, constants.COPYFILE_FICLONE);
      return new SharedLibrary(calls, load(calls, copy, place));
    } finally {
      // Where a file that is in use cannot be removed, it stays in the temporary folder.
      await rm(folder, { recursive: true, force: true }).catch(() => {});
    }
  }

  /** Returns a function that the library exports: what it takes and returns are types of C, pointers among them as `uint64_t`. Undefined when it does not export it. */
  function(name: string, result: string, parameters: readonly string[]): CFunction | undefined {
    try {
      return this.#loaded.func(name, result, [...parameters]) as unknown as CFunction;
    } catch {
      return undefined;
    }
  }

  /** Lets the library go. Nothing of it may be used afterwards, and none of its threads may run. */
  unload(): void {
    this.#loaded.unload();
  }
}

function load({ koffi }: Native, copy: string, place: string): Loaded {
  try {
    return koffi.load(copy);
  } catch (error) {
    const why = AnyplugError.from(error).message.replaceAll(copy, place);
    throw refused(place, `cannot be loaded: ${why}${advice(why)}`);
  }
}

/** What to do about a library that the loader of the system refuses for this reason. */
function advice(why: string): string {
  // So begin the names of all that Python has for its modules.
  if (!/undefined symbol: _?Py/.test(why)) return "";
  return "; it is a module of Python, which this program is not, or not of a version that it fits: load it by its name, as in python:my_module, which starts Python";
}
