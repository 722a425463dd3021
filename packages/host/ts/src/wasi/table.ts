/** What one guest has open, by its descriptors. */

import { closeSync } from "node:fs";
import { errno, WasiError } from "./errno.js";
import type { Folder } from "./folder.js";
import type { Entry } from "./layout.js";

/** A folder. */
export interface OpenFolder {
  readonly kind: "folder";
  readonly folder: Folder;
  /** What it is called, if it was granted: those are there from the start. */
  readonly name: string | undefined;
  /** What is in it, as it was when it was read from its start. */
  entries: readonly Entry[];
}

/** A file. */
export interface OpenFile {
  readonly kind: "file";
  /** Of this process. */
  readonly descriptor: number;
  readonly canRead: boolean;
  readonly canWrite: boolean;
  isAppending: boolean;
  position: bigint;
}

/** Descriptors that a guest may have. */
const mostOpen = 256;

/** The descriptors of one guest, behind those of its streams. */
export class Table {
  readonly #open = new Map<number, OpenFolder | OpenFile>();

  add(opened: OpenFolder | OpenFile): number {
    let descriptor = 3;
    while (this.#open.has(descriptor)) descriptor += 1;
    this.#open.set(descriptor, opened);
    return descriptor;
  }

  /** Throws a WasiError if there is no room for another. */
  checkRoom(): void {
    if (this.#open.size >= mostOpen) throw new WasiError(errno.tooManyFiles);
  }

  has(descriptor: number): boolean {
    return this.#open.has(descriptor);
  }

  get(descriptor: number): OpenFolder | OpenFile {
    const found = this.#open.get(descriptor);
    if (found === undefined) throw new WasiError(errno.badDescriptor);
    return found;
  }

  folder(descriptor: number): OpenFolder {
    const found = this.get(descriptor);
    if (found.kind !== "folder") throw new WasiError(errno.notDirectory);
    return found;
  }

  file(descriptor: number): OpenFile {
    const found = this.get(descriptor);
    if (found.kind !== "file") throw new WasiError(errno.badDescriptor);
    return found;
  }

  close(descriptor: number): void {
    const found = this.get(descriptor);
    this.#open.delete(descriptor);
    if (found.kind === "file") closeSync(found.descriptor);
  }

  /** Moves what is open to another descriptor; what was open there is closed. */
  move(from: number, to: number): void {
    const found = this.get(from);
    if (from === to) return;
    this.get(to);
    this.close(to);
    this.#open.delete(from);
    this.#open.set(to, found);
  }

  closeAll(): void {
    for (const descriptor of [...this.#open.keys()]) this.close(descriptor);
  }
}
