/** A folder that a guest was granted. Nothing beyond it can be reached: each part of a path is looked at before it is followed. */

import { type BigIntStats, constants, lstatSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { errno, WasiError } from "./errno.js";

const mostLinks = 40;
const mostPathBytes = 4096;

/** A place within a folder. */
export interface Place {
  /** The path on this machine. None of its parts is a link, but perhaps the last. */
  readonly path: string;
  /** What is there; undefined: nothing, but the folder around it exists. */
  readonly stat: BigIntStats | undefined;
  /** The names from the granted folder on. */
  readonly parts: readonly string[];
  /** The path named a folder, by a slash at its end. */
  readonly isFolder: boolean;
}

/** A granted folder, or one within it that a guest has opened. */
export class Folder {
  readonly isReadOnly: boolean;
  readonly #root: string;
  readonly #parts: readonly string[];

  /**
   * @param root the granted folder, without links in its path
   * @param parts the names from there on
   */
  constructor(root: string, isReadOnly: boolean, parts: readonly string[] = []) {
    this.isReadOnly = isReadOnly;
    this.#root = root;
    this.#parts = parts;
  }

  /** Its path on this machine. */
  get path(): string {
    return join(this.#root, ...this.#parts);
  }

  /** A folder within the same grant. */
  at({ parts }: Place): Folder {
    return new Folder(this.#root, this.isReadOnly, parts);
  }

  /** Throws a WasiError if nothing may be changed here. */
  change(): void {
    if (this.isReadOnly) throw new WasiError(errno.readOnly);
  }

  /**
   * Finds a path of the guest's, link by link. Throws a WasiError or Node's own error when there is none, or when it leads out of what was granted.
   *
   * @param isFollowed whether a link at its end is followed
   */
  find(path: string, isFollowed: boolean): Place {
    const left = partsOf(path).reverse();
    const parts = [...this.#parts];
    let links = 0;
    let stat: BigIntStats | undefined = this.#stat(parts);
    for (let part = left.pop(); part !== undefined; part = left.pop()) {
      if (stat === undefined) throw new WasiError(errno.noEntry);
      if (!stat.isDirectory()) throw new WasiError(errno.notDirectory);
      if (part === "..") {
        if (parts.pop() === undefined) throw new WasiError(errno.notCapable);
        stat = this.#stat(parts);
        continue;
      }
      parts.push(part);
      stat = this.#stat(parts);
      if (stat?.isSymbolicLink() !== true || (left.length === 0 && !isFollowed && !path.endsWith("/"))) continue;
      links += 1;
      if (links > mostLinks) throw new WasiError(errno.loop);
      const target = readlinkSync(join(this.#root, ...parts));
      parts.pop();
      stat = this.#stat(parts);
      left.push(...partsOf(target).reverse());
    }
    const isFolder = /(^|\/)\.{0,2}$/.test(path);
    if (isFolder && stat !== undefined && !stat.isDirectory()) throw new WasiError(errno.notDirectory);
    return { path: join(this.#root, ...parts), stat, parts, isFolder };
  }

  #stat(parts: readonly string[]): BigIntStats | undefined {
    return lstatSync(join(this.#root, ...parts), { bigint: true, throwIfNoEntry: false });
  }
}

/** The names of a path, from the folder on. One that begins elsewhere leads out of it. */
function partsOf(path: string): string[] {
  if (path === "") throw new WasiError(errno.noEntry);
  if (Buffer.byteLength(path) > mostPathBytes) throw new WasiError(errno.nameTooLong);
  if (path.includes("\0")) throw new WasiError(errno.invalid);
  if (path.startsWith("/")) throw new WasiError(errno.notCapable);
  // There, other characters than the slash have a meaning too.
  if (process.platform === "win32" && /[\\:]/.test(path)) throw new WasiError(errno.notCapable);
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

/** Where the system has them: not to follow a link that came meanwhile, and not to wait for the other end of a pipe. */
export const carefully = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
