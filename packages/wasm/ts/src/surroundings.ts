/** What every guest gets, whatever it was built for: random bytes, lines of the log, and WASI. */

import type { AnyplugError, LogLevel, LogRecord } from "@anyplug/core";
import { type Abi, broken } from "./failure.js";
import type { GuestMemory } from "./memory.js";
import { Wasi, type WasiDescriptors, type WasiFiles, type WasiFunctions } from "./wasi.js";
import type { Watch } from "./watch.js";

/** Bytes of a line that are kept, and lines of one call into the guest. */
export const maxLineBytes = 8192;
const maxLines = 1000;
/** Bytes that `crypto.getRandomValues` fills at once, at most. */
const randomBytes = 65_536;

/** The surroundings of one guest. */
export class Surroundings {
  /** Lines that were not handed on yet: a guest that runs is not called, and nobody who could call it. */
  logs: LogRecord[] = [];
  #memory: GuestMemory | undefined;
  #linesLeft = maxLines;
  readonly #name: string;
  readonly #abi: Abi;
  readonly #watch: Watch;
  readonly #files: WasiFiles | undefined;
  #descriptors: WasiDescriptors | undefined;

  constructor(name: string, abi: Abi, watch: Watch, files: WasiFiles | undefined) {
    this.#name = name;
    this.#abi = abi;
    this.#watch = watch;
    this.#files = files;
  }

  /** Takes the memory, which exists when the guest does. */
  use(memory: GuestMemory): void {
    this.#memory = memory;
  }

  /** A call into the guest begins. */
  begin(): void {
    this.#linesLeft = maxLines;
  }

  /** What a module that was built for WASI imports. */
  wasi(): WasiFunctions {
    const host = {
      range: (what: string, pointer: number, size: number) => this.range(what, pointer, size),
      random: (pointer: number, size: number) => this.random("random_get", pointer, size),
      log: (level: LogLevel, logger: string, line: string) => this.log(level, logger, line),
      end: (reason: AnyplugError) => this.#watch.end(reason),
      check: () => this.#watch.check(),
    };
    const { functions } = new Wasi(this.#name, host);
    this.#descriptors = this.#files?.bind(host, functions);
    return { ...functions, ...this.#descriptors?.functions };
  }

  /** The guest is not needed any more: what it has open is closed. */
  close(): void {
    this.#descriptors?.close();
  }

  /** Fills a range with random bytes. Throws a Stop when the guest has no such range, or its time is over. */
  random(what: string, pointer: number, size: number): void {
    const { bytes } = this.range(what, pointer, size);
    const end = (pointer >>> 0) + (size >>> 0);
    for (let from = pointer >>> 0; from < end; from += randomBytes) {
      crypto.getRandomValues(bytes.subarray(from, Math.min(end, from + randomBytes)) as Uint8Array<ArrayBuffer>);
      // The guest is not charged for what is done here.
      this.#watch.check();
    }
  }

  /** Takes a line. Beyond so many of one call they are dropped. */
  log(level: LogLevel, logger: string, message: string): void {
    if (this.#linesLeft === 0) return;
    this.#linesLeft -= 1;
    this.logs.push({ level, message, logger, timeMs: Date.now(), fields: {} });
  }

  /** Hands the lines on. */
  tellLogs(onLog: ((record: LogRecord) => void) | undefined): void {
    const records = this.logs;
    this.logs = [];
    for (const record of records) {
      try {
        onLog?.(record);
      } catch (error) {
        console.error("anyplug: onLog failed:", error);
      }
    }
  }

  /** Returns the memory. Throws a Stop when the guest has no such range. */
  range(what: string, pointer: number, size: number): GuestMemory {
    const memory = this.#memory;
    if (memory?.has(pointer >>> 0, size >>> 0)) return memory;
    const bytes = `${size >>> 0} bytes at ${pointer >>> 0}`;
    const why = `${what} was given ${bytes}, and its memory has ${memory?.length ?? 0}`;
    throw this.#watch.end(broken(this.#name, why, this.#abi));
  }
}
