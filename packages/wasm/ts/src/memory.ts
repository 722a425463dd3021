/** The memory of a guest: views that are made again when it grew, and ranges that are checked. */

/** Up to this size a loop copies faster than a call, in bytes. */
const loopBytes = 32;

/** `WebAssembly.Memory`, as far as it is looked at: programs are compiled against this without types for WebAssembly, too. */
interface Growing {
  readonly buffer: ArrayBuffer;
}

/** A guest's memory. */
export class GuestMemory {
  readonly #memory: Growing;
  #bytes: Uint8Array;
  #view: DataView;

  constructor(memory: Growing) {
    this.#memory = memory;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
  }

  /** All of it, until the guest runs again. */
  get bytes(): Uint8Array {
    // Memory that grew leaves its old buffer behind without bytes.
    if (this.#bytes.length === 0) this.#renew();
    return this.#bytes;
  }

  /** The bytes that it has. */
  get length(): number {
    return this.bytes.length;
  }

  /** Whether the guest has that range. */
  has(pointer: number, size: number): boolean {
    return pointer + size <= this.bytes.length;
  }

  /** A u32 within its memory. */
  word(pointer: number): number {
    if (this.#bytes.length === 0) this.#renew();
    return this.#view.getUint32(pointer, true);
  }

  /** Copies the first `size` bytes to a range that it has. */
  write(pointer: number, bytes: Uint8Array, size: number): void {
    const own = this.bytes;
    if (size <= loopBytes) for (let index = 0; index < size; index++) own[pointer + index] = bytes[index] as number;
    else own.set(size === bytes.length ? bytes : bytes.subarray(0, size), pointer);
  }

  /** Writes a u32 to a range that it has. */
  writeWord(pointer: number, value: number): void {
    if (this.#bytes.length === 0) this.#renew();
    this.#view.setUint32(pointer, value, true);
  }

  /** Copies a range that it has. */
  copyTo(target: Uint8Array, at: number, pointer: number, size: number): void {
    const own = this.bytes;
    if (size <= loopBytes)
      for (let index = 0; index < size; index++) target[at + index] = own[pointer + index] as number;
    else target.set(own.subarray(pointer, pointer + size), at);
  }

  #renew(): void {
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#view = new DataView(this.#memory.buffer);
  }
}
