/**
 * What a guest gets that was built for WASI: clocks, random bytes, standard output and error as lines of the log, and the files that it is
 * granted. There are no arguments, no environment and no network.
 * The numbers are those of preview 1: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
 */

import { AnyplugError, Code, type LogRecord } from "@anyplug/core";
import type { GuestMemory } from "./memory.js";

/** The module that the functions are imported from. */
export const wasiModule = "wasi_snapshot_preview1";

/** What there is, by name. */
export const wasiTypes: Readonly<Record<string, string>> = {
  args_get: "(i32, i32) -> i32",
  args_sizes_get: "(i32, i32) -> i32",
  clock_res_get: "(i32, i32) -> i32",
  clock_time_get: "(i32, i64, i32) -> i32",
  environ_get: "(i32, i32) -> i32",
  environ_sizes_get: "(i32, i32) -> i32",
  fd_close: "(i32) -> i32",
  fd_fdstat_get: "(i32, i32) -> i32",
  fd_prestat_dir_name: "(i32, i32, i32) -> i32",
  fd_prestat_get: "(i32, i32) -> i32",
  fd_read: "(i32, i32, i32, i32) -> i32",
  fd_seek: "(i32, i64, i32, i32) -> i32",
  fd_write: "(i32, i32, i32, i32) -> i32",
  proc_exit: "(i32)",
  random_get: "(i32, i32) -> i32",
  sched_yield: "() -> i32",
};

const ok = 0;
const badDescriptor = 8;
const invalid = 28;
const noSeek = 70;
const characterDevice = 2;
/** Nanoseconds of a tick of the clocks. */
const resolution = 1_000_000n;
/** Ranges that are written at once, at most. */
const maxVectors = 1024;
/** What is kept of a line until it ends, in bytes. */
const maxLineBytes = 8192;

/** What the functions need of their host. */
export interface WasiHost {
  /** Returns the memory. Ends the guest when it has no such range. */
  range(what: string, pointer: number, size: number): GuestMemory;
  /** Fills a range with random bytes. */
  random(pointer: number, size: number): void;
  /** Takes a line. */
  log(level: LogRecord["level"], logger: string, line: string): void;
  /** Ends the guest. */
  end(reason: AnyplugError): Error;
  /** Throws what ends the guest if its time is over: it is not charged for what is done on its behalf. */
  check(): void;
}

/** A function as a module imports it. */
export type WasiFunction = (...values: (number | bigint)[]) => number | undefined;

/** Functions by their names. */
export type WasiFunctions = Readonly<Record<string, WasiFunction>>;

/** Files for guests that were built for WASI, by whoever has some: Node has. */
export interface WasiFiles {
  /** The types of the functions that there are then, beside those that there are always. */
  readonly types: Readonly<Record<string, string>>;
  /** Returns the functions for one guest; those of `standard` are for descriptors 0, 1 and 2. */
  bind(host: WasiHost, standard: WasiFunctions): WasiDescriptors;
}

/** What one guest has open. */
export interface WasiDescriptors {
  readonly functions: WasiFunctions;
  /** Closes all of it. */
  close(): void;
}

/** The standard streams of one guest, and the rest of what it sees of WASI. */
export class Wasi {
  readonly #name: string;
  readonly #host: WasiHost;
  /** What was written and has not come to the end of its line: standard output, standard error. */
  readonly #unfinished = ["", ""];

  constructor(name: string, host: WasiHost) {
    this.#name = name;
    this.#host = host;
  }

  /** The functions by name, as a module imports them. */
  readonly functions: WasiFunctions = {
    args_get: () => ok,
    args_sizes_get: (count, bytes) => this.#words("args_sizes_get", [count, 0], [bytes, 0]),
    environ_get: () => ok,
    environ_sizes_get: (count, bytes) => this.#words("environ_sizes_get", [count, 0], [bytes, 0]),
    clock_res_get: (id, at) => {
      if (id !== 0 && id !== 1) return invalid;
      return this.#long("clock_res_get", at, resolution);
    },
    clock_time_get: (id, _precision, at) => {
      if (id !== 0 && id !== 1) return invalid;
      const ms = id === 1 ? performance.now() : performance.timeOrigin + performance.now();
      return this.#long("clock_time_get", at, BigInt(Math.trunc(ms * 1000)) * 1000n);
    },
    random_get: (pointer, size) => {
      this.#host.random(Number(pointer), Number(size));
      return ok;
    },
    sched_yield: () => ok,
    fd_close: (descriptor) => (isStandard(descriptor) ? ok : badDescriptor),
    fd_seek: (descriptor) => (isStandard(descriptor) ? noSeek : badDescriptor),
    fd_prestat_get: () => badDescriptor,
    fd_prestat_dir_name: () => badDescriptor,
    fd_fdstat_get: (descriptor, at) => {
      if (!isStandard(descriptor)) return badDescriptor;
      const pointer = Number(at) >>> 0;
      const { bytes } = this.#host.range("fd_fdstat_get", pointer, 24);
      bytes.fill(0, pointer, pointer + 24);
      bytes[pointer] = characterDevice;
      return ok;
    },
    fd_read: (descriptor, _vectors, _count, at) => {
      return descriptor === 0 ? this.#words("fd_read", [at, 0]) : badDescriptor;
    },
    fd_write: (descriptor, vectors, count, at) => {
      if (descriptor !== 1 && descriptor !== 2) return badDescriptor;
      return this.#write(descriptor, Number(vectors) >>> 0, Number(count) >>> 0, Number(at));
    },
    proc_exit: (status) => {
      const message = `plugin "${this.#name}" exited with status ${Number(status) >>> 0}`;
      throw this.#host.end(new AnyplugError(Code.Internal, message));
    },
  };

  #write(descriptor: 1 | 2, vectors: number, count: number, at: number): number {
    if (count > maxVectors) return invalid;
    let written = 0;
    for (let index = 0; index < count; index++) {
      const memory = this.#host.range("fd_write", vectors, count * 8);
      const pointer = memory.word(vectors + index * 8);
      const size = memory.word(vectors + index * 8 + 4);
      const { bytes } = this.#host.range("fd_write", pointer, size);
      this.#print(descriptor, bytes.subarray(pointer, pointer + Math.min(size, maxLineBytes)));
      written += size;
    }
    return this.#words("fd_write", [at, written]);
  }

  #print(descriptor: 1 | 2, bytes: Uint8Array): void {
    const index = descriptor - 1;
    const lines = ((this.#unfinished[index] ?? "") + text.decode(bytes)).split("\n");
    const rest = lines.pop() ?? "";
    for (const line of lines) this.#line(descriptor, line);
    if (rest.length > maxLineBytes) this.#line(descriptor, rest);
    this.#unfinished[index] = rest.length > maxLineBytes ? "" : rest;
  }

  #line(descriptor: 1 | 2, line: string): void {
    if (descriptor === 1) this.#host.log("info", "stdout", line);
    else this.#host.log("warn", "stderr", line);
  }

  #words(what: string, ...values: readonly (readonly [at: number | bigint | undefined, value: number])[]): number {
    for (const [at = 0, value] of values) {
      const pointer = Number(at) >>> 0;
      this.#host.range(what, pointer, 4).writeWord(pointer, value >>> 0);
    }
    return ok;
  }

  #long(what: string, at: number | bigint | undefined, value: bigint): number {
    const pointer = Number(at) >>> 0;
    const memory = this.#host.range(what, pointer, 8);
    memory.writeWord(pointer, Number(value & 0xffff_ffffn));
    memory.writeWord(pointer + 4, Number(value >> 32n));
    return ok;
  }
}

const text = new TextDecoder();

function isStandard(descriptor: number | bigint | undefined): boolean {
  return descriptor === 0 || descriptor === 1 || descriptor === 2;
}
