/** The variables of a module. */

import { encodeSigned, encodeVector, joined, Reader } from "./binary.js";

const end = 0x0b;

/** Instructions that give a variable its first value, by its type. */
const constants: Readonly<Record<number, number>> = { 127: 0x41, 126: 0x42, 125: 0x43, 124: 0x44 };

/** Returns the section with `values`, by the index of a variable, in place of those that the variables begin with. */
export function writeGlobals(body: Uint8Array, values: ReadonlyMap<number, number | bigint>): Uint8Array {
  const reader = new Reader(body);
  const count = reader.integer();
  const globals = Array.from({ length: count }, (_, index) => {
    const from = reader.at;
    const type = reader.byte();
    const isMutable = reader.byte() === 1;
    skipExpression(reader);
    const value = values.get(index);
    if (value !== undefined) return joined([Uint8Array.of(type, isMutable ? 1 : 0), constant(type, value)]);
    // It would begin anew while all else goes on.
    if (isMutable) throw new Error(`the engine has a variable ${index} that it does not export`);
    return body.subarray(from, reader.at);
  });
  return encodeVector(globals);
}

function constant(type: number, value: number | bigint): Uint8Array {
  const begin = Uint8Array.of(constants[type] ?? 0);
  return joined([begin, type >= 0x7e ? encodeSigned(BigInt(value)) : float(type, Number(value)), Uint8Array.of(end)]);
}

function float(type: number, value: number): Uint8Array {
  const isDouble = type === 0x7c;
  const view = new DataView(new ArrayBuffer(isDouble ? 8 : 4));
  if (isDouble) view.setFloat64(0, value, true);
  else view.setFloat32(0, value, true);
  return new Uint8Array(view.buffer);
}

/** Goes behind an expression of constants. */
function skipExpression(reader: Reader): void {
  for (let opcode = reader.byte(); opcode !== end; opcode = reader.byte()) {
    if (opcode === 0x43) reader.take(4);
    else if (opcode === 0x44) reader.take(8);
    // i32.const, i64.const, global.get, ref.null and ref.func have one integer, arithmetic has none.
    else if ([0x41, 0x42, 0x23, 0xd0, 0xd2].includes(opcode)) reader.integer();
  }
}
