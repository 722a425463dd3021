/** The variables of one instance. */

/** What a plugin keeps from one call to the next, by name. */
export class Vars {
  readonly #values = new Map<string, Uint8Array>();
  readonly #most: number;
  #bytes = 0;

  /** `maxBytes`: that all names and values may have. */
  constructor(maxBytes: number) {
    this.#most = maxBytes;
  }

  get(name: string): Uint8Array | undefined {
    return this.#values.get(name);
  }

  /** Keeps a copy of a value. Returns how many bytes it would be in all when they are too many, and keeps what there was. */
  set(name: string, value: Uint8Array): number | undefined {
    const bytes = this.#bytes - this.#cost(name) + bytesOf(name) + value.length;
    if (bytes > this.#most) return bytes;
    this.#values.set(name, value.slice());
    this.#bytes = bytes;
    return undefined;
  }

  remove(name: string): void {
    this.#bytes -= this.#cost(name);
    this.#values.delete(name);
  }

  #cost(name: string): number {
    const value = this.#values.get(name);
    return value === undefined ? 0 : bytesOf(name) + value.length;
  }
}

function bytesOf(name: string): number {
  return new TextEncoder().encode(name).length;
}
