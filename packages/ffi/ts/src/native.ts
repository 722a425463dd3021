/** Calls of C functions, by koffi: addresses are numbers, so that no call makes an object. */

import type koffi from "koffi";

/** An address in this process. What a program may use lies far below 2^53. */
export type Address = number;

/** What a plugin's table has, and what is needed of the C library. */
export interface Native {
  readonly koffi: typeof koffi;
  /** Copies bytes from one address to another. */
  copy(to: Address, from: Address, bytes: number): void;
  /** How many bytes a C string has, without the zero at its end. */
  length(text: Address): number;
  /** Where memory of JavaScript lies. It stays there; whoever passes the address on keeps the memory alive. */
  addressOf(memory: Uint8Array | Uint32Array): Address;
  /** Makes functions of addresses. */
  readonly functions: {
    open(address: Address): (host: Address) => Address;
    recv(address: Address): (instance: Address, data: Address, length: number) => void;
    call(address: Address): CallFunction;
    release(address: Address): (owner: Address, data: Address, length: number) => void;
    close(address: Address): { async(instance: Address, done: (error: unknown, result: number) => void): void };
  };
  /** The address of a function that never returns: for threads that must not run on. 0: there is none. */
  readonly pause: Address;
}

export type CallFunction = (
  instance: Address,
  call: number,
  method: number,
  data: Address,
  length: number,
  result: Address,
) => number;

let loading: Promise<Native> | undefined;

/** Loads koffi, which takes about 40 ms, once. */
export function native(): Promise<Native> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Native> {
  const { default: koffi } = await import("koffi");
  const library = koffi.load(process.platform === "win32" ? "ucrtbase.dll" : null);
  const pointer = "uint64_t";
  // A signature without pointers is called the short way; results are numbers, unless they are larger than one can be.
  const prototypes = {
    open: koffi.proto(pointer, [pointer]),
    recv: koffi.proto("void", [pointer, pointer, pointer]),
    call: koffi.proto("int32_t", [pointer, "uint32_t", "uint32_t", pointer, pointer, pointer]),
    release: koffi.proto("void", [pointer, pointer, pointer]),
    close: koffi.proto("int32_t", [pointer]),
  };
  const at =
    (name: keyof typeof prototypes) =>
    (address: Address): never =>
      koffi.decode(BigInt(address), prototypes[name]) as never;
  const memcpy = library.func("memcpy", pointer, [pointer, pointer, pointer]);
  return {
    koffi,
    copy: memcpy as Native["copy"],
    length: library.func("strlen", pointer, [pointer]) as Native["length"],
    addressOf: (memory) => Number(koffi.address(memory)),
    functions: {
      open: at("open"),
      recv: at("recv"),
      call: at("call"),
      release: at("release"),
      close: at("close"),
    },
    pause: process.platform === "win32" ? 0 : Number(library.symbol("pause")),
  };
}
