/** A guest's memory, as the functions of WASI read and write it. A range that it does not have ends the guest. */

import type { WasiHost } from "@anyplug/wasm";
import { errno, WasiError } from "./errno.js";

type Offset = number | bigint | undefined;

/** The memory of one guest. */
export class Memory {
  readonly #host: WasiHost;

  constructor(host: WasiHost) {
    this.#host = host;
  }

  bytes(what: string, at: Offset, size: number): Uint8Array {
    const pointer = Number(at ?? 0) >>> 0;
    return this.#host.range(what, pointer, size).bytes.subarray(pointer, pointer + size);
  }

  view(what: string, at: Offset, size: number): DataView {
    const { buffer, byteOffset } = this.bytes(what, at, size).fill(0);
    return new DataView(buffer, byteOffset, size);
  }

  word(what: string, at: Offset, value: number): void {
    this.view(what, at, 4).setUint32(0, value, true);
  }

  long(what: string, at: Offset, value: bigint): void {
    this.view(what, at, 8).setBigUint64(0, value, true);
  }

  text(what: string, at: Offset, size: Offset): string {
    try {
      return decoder.decode(this.bytes(what, at, Number(size ?? 0) >>> 0));
    } catch (error) {
      // Names of files are UTF-8 there.
      if (error instanceof TypeError) throw new WasiError(errno.invalid);
      throw error;
    }
  }

  /** The ranges of a list, one after the other. */
  *ranges(what: string, at: Offset, count: Offset, most: number): Iterable<Uint8Array> {
    const length = Number(count ?? 0) >>> 0;
    if (length > most) throw new WasiError(errno.invalid);
    const list = this.bytes(what, at, length * 8).slice();
    const view = new DataView(list.buffer);
    for (let index = 0; index < length; index++) {
      yield this.bytes(what, view.getUint32(index * 8, true), view.getUint32(index * 8 + 4, true));
    }
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
