/** Folders of this machine for modules that were built for WASI. */

import { realpathSync, statSync } from "node:fs";
import { AnyplugError, Code } from "@anyplug/core";
import type { WasmOptions as AnyWasmOptions, WasiDescriptors, WasiFiles, WasiFunctions, WasiHost } from "@anyplug/wasm";
import { descriptorActions } from "./descriptors.js";
import { errno, errnoOf } from "./errno.js";
import { Folder } from "./folder.js";
import { Memory } from "./memory.js";
import { pathActions } from "./paths.js";
import { Table } from "./table.js";

/** A folder that a module may use. */
export interface WasiDirectory {
  /** Where it is on this machine. */
  readonly hostPath: string;
  /** What the module knows it by, such as "/data". */
  readonly guestPath: string;
  /** Whether nothing in it may be changed. Default true. */
  readonly readOnly?: boolean | undefined;
}

/** What a module that was built for WASI gets beside clocks, random bytes and lines of the log. */
export interface WasiOptions {
  /** Folders. Nothing beyond them can be reached. Default: none. */
  readonly directories?: readonly WasiDirectory[] | undefined;
}

/** What a host in Node says about a WebAssembly module. */
export interface WasmOptions extends AnyWasmOptions {
  /** What it gets of this machine, if it was built for WASI. */
  readonly wasi?: WasiOptions | undefined;
}

/**
 * Returns the options for the transport, which knows no folders.
 *
 * @throws AnyplugError NOT_FOUND when a folder does not exist, INVALID_ARGUMENT when it is none, or has no name for the module.
 */
export function withFiles(options: WasmOptions | undefined): AnyWasmOptions | undefined {
  const { wasi, ...others } = options ?? {};
  const directories = wasi?.directories ?? [];
  if (directories.length === 0) return options === undefined ? undefined : others;
  return { ...others, wasiFiles: new Files(directories.map(grantOf)) };
}

interface Grant {
  readonly name: string;
  readonly folder: Folder;
}

function grantOf({ hostPath, guestPath, readOnly = true }: WasiDirectory): Grant {
  const member = "wasm.wasi.directories";
  if (typeof guestPath !== "string" || guestPath === "") {
    throw new AnyplugError(Code.InvalidArgument, `${member}: ${hostPath} has no guestPath`);
  }
  const found = statSync(hostPath, { throwIfNoEntry: false });
  if (found === undefined) throw new AnyplugError(Code.NotFound, `${member}: ${hostPath} does not exist`);
  if (!found.isDirectory()) throw new AnyplugError(Code.InvalidArgument, `${member}: ${hostPath} is no folder`);
  return { name: guestPath, folder: new Folder(realpathSync(hostPath), readOnly) };
}

const i32s = (count: number) => `(${new Array<string>(count).fill("i32").join(", ")}) -> i32`;

class Files implements WasiFiles {
  readonly types = {
    fd_advise: "(i32, i64, i64, i32) -> i32",
    fd_allocate: "(i32, i64, i64) -> i32",
    fd_datasync: i32s(1),
    fd_fdstat_set_flags: i32s(2),
    fd_filestat_get: i32s(2),
    fd_filestat_set_size: "(i32, i64) -> i32",
    fd_filestat_set_times: "(i32, i64, i64, i32) -> i32",
    fd_pread: "(i32, i32, i32, i64, i32) -> i32",
    fd_pwrite: "(i32, i32, i32, i64, i32) -> i32",
    fd_readdir: "(i32, i32, i32, i64, i32) -> i32",
    fd_renumber: i32s(2),
    fd_sync: i32s(1),
    fd_tell: i32s(2),
    path_create_directory: i32s(3),
    path_filestat_get: i32s(5),
    path_filestat_set_times: "(i32, i32, i32, i32, i64, i64, i32) -> i32",
    path_link: i32s(7),
    path_open: "(i32, i32, i32, i32, i32, i64, i64, i32, i32) -> i32",
    path_readlink: i32s(6),
    path_remove_directory: i32s(3),
    path_rename: i32s(6),
    path_symlink: i32s(5),
    path_unlink_file: i32s(3),
  };
  readonly #grants: readonly Grant[];

  constructor(grants: readonly Grant[]) {
    this.#grants = grants;
  }

  bind(host: WasiHost, standard: WasiFunctions): WasiDescriptors {
    const table = new Table();
    for (const { name, folder } of this.#grants) table.add({ kind: "folder", folder, name, entries: [] });
    const memory = new Memory(host);
    const actions = { ...descriptorActions(table, memory, host), ...pathActions(table, memory) };
    const functions = Object.entries(actions).map(([name, act]) => {
      const run = (...values: (number | bigint)[]) => {
        const descriptor = Number(values[0]);
        const own = descriptor >= 0 && descriptor <= 2 ? standard[name] : undefined;
        if (own !== undefined) return own(...values);
        host.check();
        try {
          act(...values);
          return errno.success;
        } catch (error) {
          return errnoOf(error);
        }
      };
      return [name, run] as const;
    });
    return { functions: Object.fromEntries(functions), close: () => table.closeAll() };
  }
}
