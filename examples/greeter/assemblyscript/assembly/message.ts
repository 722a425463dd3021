/** Reads protobuf messages. */

/** A range of bytes. */
export class Range {
  constructor(
    public ptr: usize,
    public length: u32,
  ) {}
}

let at: usize = 0;
let end: usize = 0;

/** Returns the last field of that number in a message, which has to be of the kind that has a length; empty when there is none. */
export function textField(wanted: u32, ptr: usize, length: u32): Range {
  at = ptr;
  end = ptr + length;
  const found = new Range(ptr, 0);
  while (at < end) {
    const tag = varint();
    const kind = tag & 7;
    if (kind === 0) {
      varint();
    } else if (kind === 1) {
      skip(8);
    } else if (kind === 5) {
      skip(4);
    } else {
      // Groups are of another time.
      assert(kind === 2);
      const count = u32(varint());
      if (u32(tag >>> 3) === wanted) {
        found.ptr = at;
        found.length = count;
      }
      skip(count);
    }
  }
  return found;
}

function skip(count: u32): void {
  assert(u32(end - at) >= count);
  at += count;
}

function varint(): u64 {
  let value: u64 = 0;
  for (let shift: u64 = 0; shift < 70; shift += 7) {
    assert(at < end);
    const byte: u64 = load<u8>(at++);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  throw new Error("a varint of more than ten bytes");
}
