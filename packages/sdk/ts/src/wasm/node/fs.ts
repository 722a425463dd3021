/** `node:fs` in a WebAssembly module: the files that were built into it, and no others. */

/** The files by their paths. The build writes them here: see `asset`. */
const files = new Map<string, Uint8Array | string>();

/** The address of a file in the module: as much of a URL as opening it takes. */
export class FileUrl {
  readonly protocol = "file:";
  readonly pathname: string;

  constructor(path: string) {
    this.pathname = path;
  }

  get href(): string {
    return `file://${this.pathname}`;
  }

  toString(): string {
    return this.href;
  }

  toJSON(): string {
    return this.href;
  }
}

/** Puts a file in place, and returns where it is. What the build writes for `new URL("./file", import.meta.url)`. */
export function asset(path: string, contents: Uint8Array | string): FileUrl {
  files.set(path, contents);
  return new FileUrl(path);
}

type Path = string | FileUrl | { readonly pathname: string };
type Encoding = string | { readonly encoding?: string | null } | null | undefined;

/**
 * Returns the contents: text where an encoding is given.
 *
 * @throws Error ENOENT for a file that was not built in.
 */
export function readFileSync(path: Path, options?: Encoding): Uint8Array | string {
  const contents = find(path, "open");
  const encoding = typeof options === "string" ? options : options?.encoding;
  if (encoding === undefined || encoding === null) {
    return typeof contents === "string" ? new TextEncoder().encode(contents) : contents.slice();
  }
  return typeof contents === "string" ? contents : new TextDecoder(encoding, { ignoreBOM: true }).decode(contents);
}

/** Whether the file was built in. */
export function existsSync(path: Path): boolean {
  return files.has(nameOf(path));
}

/** As {@link readFileSync}, later. */
export async function readFile(path: Path, options?: Encoding): Promise<Uint8Array | string> {
  return readFileSync(path, options);
}

/** Rejects when the file was not built in. */
export async function access(path: Path): Promise<void> {
  find(path, "access");
}

export const promises = { readFile, access };

function find(path: Path, what: string): Uint8Array | string {
  const name = nameOf(path);
  const contents = files.get(name);
  if (contents !== undefined) return contents;
  const message = `ENOENT: no such file or directory, ${what} '${name}'`;
  throw Object.assign(new Error(message), { code: "ENOENT", errno: -2, syscall: what, path: name });
}

function nameOf(path: Path): string {
  if (typeof path !== "string") return path.pathname;
  return path.startsWith("file://") ? path.slice("file://".length) : path;
}
