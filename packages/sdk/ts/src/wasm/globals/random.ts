/** Random numbers of the host: `crypto`, and a seed for Math.random that no two instances share. */

import { host } from "../host.js";

type Integers =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** As in browsers. */
const maxBytes = 65_536;

export const crypto = {
  getRandomValues<Values extends Integers>(values: Values): Values {
    if (values.byteLength > maxBytes) {
      throw new DOMException(
        `${values.byteLength} bytes were asked for, and ${maxBytes} is the most`,
        "QuotaExceededError",
      );
    }
    host.random(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return values;
  },

  randomUUID(): string {
    const bytes = this.getRandomValues(new Uint8Array(16));
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  },
};

/** The state of xoshiro128**. Until the module runs, what it gives is the same in each build. */
const state = Uint32Array.of(0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x6a09e667);

/** Gives Math.random a state of its own. */
export function seedRandom(): void {
  crypto.getRandomValues(state);
}

/** A number from 0 on and below 1, of 53 random bits. Not for keys. */
export function random(): number {
  return ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 0x20000000000000;
}

function next(): number {
  const [a = 0, b = 0, c = 0, d = 0] = state;
  const result = Math.imul(rotated(Math.imul(b, 5), 7), 9);
  const third = c ^ a;
  const fourth = d ^ b;
  state[1] = b ^ third;
  state[0] = a ^ fourth;
  state[2] = third ^ (b << 9);
  state[3] = rotated(fourth, 11);
  return result >>> 0;
}

function rotated(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}
