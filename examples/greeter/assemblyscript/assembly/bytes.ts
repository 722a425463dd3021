/** Bytes that are written one after the other. */

const LENGTH_DELIMITED: u32 = 2;

/** The UTF-8 of a text. */
export function bytesOf(text: string): ArrayBuffer {
  return String.UTF8.encode(text);
}

/** A buffer that grows, and writes what a protobuf message consists of. */
export class Writer {
  start: usize = heap.alloc(64);
  length: u32 = 0;
  private room: u32 = 64;

  clear(): void {
    this.length = 0;
  }

  /** Forgets the first bytes. */
  drop(count: u32): void {
    memory.copy(this.start, this.start + count, this.length - count);
    this.length -= count;
  }

  pointer(at: u32): usize {
    return this.start + at;
  }

  byte(at: u32): u32 {
    return load<u8>(this.start + at);
  }

  word(at: u32): u32 {
    return load<u32>(this.start + at);
  }

  put(ptr: usize, count: u32): void {
    this.reserve(count);
    memory.copy(this.start + this.length, ptr, count);
    this.length += count;
  }

  putWord(value: u32): void {
    this.reserve(4);
    store<u32>(this.start + this.length, value);
    this.length += 4;
  }

  /** A text without a length. */
  putString(text: string): void {
    const bytes = bytesOf(text);
    this.put(changetype<usize>(bytes), bytes.byteLength);
  }

  putVarint(value: u32): void {
    this.reserve(5);
    let rest = value;
    while (rest >= 0x80) {
      store<u8>(this.start + this.length++, rest | 0x80);
      rest >>>= 7;
    }
    store<u8>(this.start + this.length++, rest);
  }

  /** A field of a message that is a number. */
  putNumber(field: u32, value: u32): void {
    this.putVarint(field << 3);
    this.putVarint(value);
  }

  /** A field of a message that has a length. */
  putField(field: u32, ptr: usize, count: u32): void {
    this.putVarint((field << 3) | LENGTH_DELIMITED);
    this.putVarint(count);
    this.put(ptr, count);
  }

  putText(field: u32, text: string): void {
    const bytes = bytesOf(text);
    this.putField(field, changetype<usize>(bytes), bytes.byteLength);
  }

  private reserve(count: u32): void {
    if (this.room - this.length >= count) return;
    this.room = max(this.room * 2, this.length + count);
    this.start = heap.realloc(this.start, this.room);
  }
}
