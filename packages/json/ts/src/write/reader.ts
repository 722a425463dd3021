/** Reads what lies on the wire more strictly than the runtime's reader, which cuts lengths to 32 bits and integers to 64. */

import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { MAX_DEPTH } from "../fault.js";

/** A reader that shows what it reads. */
export class WireReader extends BinaryReader {
  readonly source: Uint8Array;

  constructor(bytes: Uint8Array) {
    super(bytes);
    this.source = bytes;
  }
}

/** Refuses an integer that began there and has more than 64 bits. */
export function checkVarint(reader: WireReader, start: number): void {
  if (reader.pos - start === 10 && (reader.source[reader.pos - 1] ?? 0) > 1) throw new Error("invalid varint");
}

/** Returns the bytes that lie behind their length, in place. */
export function delimited(reader: WireReader): Uint8Array {
  const start = reader.pos;
  const low = reader.uint32();
  // A length of up to four bytes has 28 bits; a longer one is read again, whole.
  if (reader.pos - start > 4) {
    reader.pos = start;
    if (BigInt(reader.uint64()) !== BigInt(low)) throw new RangeError("premature EOF");
    checkVarint(reader, start);
  }
  reader.pos = start;
  return reader.bytes();
}

/** Goes past a value. */
export function skip(wireType: WireType, number: number, reader: WireReader, depth = 0): void {
  if (wireType === WireType.LengthDelimited) delimited(reader);
  else if (wireType === WireType.StartGroup) skipGroup(number, reader, depth);
  else {
    const start = reader.pos;
    reader.skip(wireType, number);
    if (wireType === WireType.Varint) checkVarint(reader, start);
  }
}

function skipGroup(group: number, reader: WireReader, depth: number): void {
  if (depth >= MAX_DEPTH) throw new Error("groups are nested too deep");
  for (;;) {
    const [number, wireType] = reader.tag();
    if (wireType !== WireType.EndGroup) skip(wireType, number, reader, depth + 1);
    else if (number === group) return;
    else throw new Error("invalid end group tag");
  }
}
