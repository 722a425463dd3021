/** The memory that Extism plugins share with their host: blocks of bytes, which are all given back when a call has ended. */

/** Where the first block begins: 0 is none. */
const base = 16;
/** The memory to begin with, and the most of it that is kept from call to call. */
const leastBytes = 65_536;
const keptBytes = 1_048_576;
/** What a block costs beside its bytes. */
const bookkeepingBytes = 32;
/** Offsets fit 32 bits. */
const mostBytes = 0xffff_0000;

/** Blocks by their offsets. */
export class Blocks {
  #bytes = new Uint8Array(leastBytes);
  #view = new DataView(this.#bytes.buffer);
  /** Where the next block begins that is made anew. */
  #position = base;
  /** Of each block, in the order of their offsets; a length of -1: it is free. */
  #starts: number[] = [];
  #capacities: number[] = [];
  #lengths: number[] = [];
  /** Indices of blocks that are free, by their capacity. */
  readonly #free = new Map<number, number[]>();
  readonly #most: number;
  /** A block was refused in this call: there was no memory for it. */
  isFull = false;

  /** `maxBytes`: that all blocks of a call may have. */
  constructor(maxBytes: number) {
    this.#most = Math.min(maxBytes, mostBytes);
  }

  /** Returns where a new block begins, whose bytes are 0; 0 when it would be empty, or there is no memory for it. */
  alloc(length: number): number {
    if (length === 0) return 0;
    const capacity = capacityFor(length);
    const known = this.#free.get(capacity)?.pop();
    if (known !== undefined) {
      const start = this.#starts[known] ?? 0;
      this.#lengths[known] = length;
      this.#bytes.fill(0, start, start + length);
      return start;
    }
    const start = this.#position;
    const end = start + capacity;
    if (end + this.#starts.length * bookkeepingBytes > this.#most || !this.#reach(end)) {
      this.isFull = true;
      return 0;
    }
    this.#position = end;
    this.#starts.push(start);
    this.#capacities.push(capacity);
    this.#lengths.push(length);
    return start;
  }

  /** Gives a block back. What is none stays as it is. */
  free(offset: number): void {
    const index = this.#find(offset);
    if (index < 0) return;
    this.#lengths[index] = -1;
    const capacity = this.#capacities[index] ?? 0;
    const others = this.#free.get(capacity);
    if (others === undefined) this.#free.set(capacity, [index]);
    else others.push(index);
  }

  /** The length of the block at an offset; -1 when there is none. */
  length(offset: number): number {
    const index = this.#find(offset);
    return index < 0 ? -1 : (this.#lengths[index] ?? -1);
  }

  /** Whether a range lies where blocks are. */
  has(offset: number, size: number): boolean {
    return offset >= base && offset + size <= this.#position;
  }

  /** The bytes; what lies where is only theirs until the next block is made. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** A view of the bytes. */
  get view(): DataView {
    return this.#view;
  }

  /** Puts bytes into a new block, and returns where; 0 when they are none, or there is no memory for them. */
  store(bytes: Uint8Array): number {
    const offset = this.alloc(bytes.length);
    if (offset !== 0) this.#bytes.set(bytes, offset);
    return offset;
  }

  /** A call has ended: all blocks are given back, and what is more than usual of memory. */
  reset(): void {
    if (this.#bytes.length > keptBytes) this.#use(new Uint8Array(leastBytes));
    else this.#bytes.fill(0, base, this.#position);
    this.#position = base;
    this.isFull = false;
    if (this.#starts.length === 0) return;
    this.#starts = [];
    this.#capacities = [];
    this.#lengths = [];
    this.#free.clear();
  }

  /** The index of the block in use at an offset; -1. */
  #find(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const start = this.#starts[middle] ?? 0;
      if (start === offset) return this.#lengths[middle] === -1 ? -1 : middle;
      if (start < offset) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** Grows to that many bytes. False when there are none. */
  #reach(end: number): boolean {
    if (end <= this.#bytes.length) return true;
    try {
      const grown = new Uint8Array(Math.max(end, Math.min(this.#bytes.length * 2, this.#most)));
      grown.set(this.#bytes);
      this.#use(grown);
      return true;
    } catch {
      return false;
    }
  }

  #use(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

/** Few sizes, so that a block that was given back fits the next: powers of two, and from 64 KiB on multiples of it. */
function capacityFor(length: number): number {
  if (length > leastBytes) return Math.ceil(length / leastBytes) * leastBytes;
  return Math.max(16, 2 ** Math.ceil(Math.log2(length)));
}
