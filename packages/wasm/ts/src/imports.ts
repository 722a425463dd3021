/** The functions that a guest may call. They keep what they are given, and handle nothing: a guest that runs is not called. */

import type { LogLevel, LogRecord } from "@anyplug/core";
import { broken, exhausted } from "./failure.js";
import type { WasmLimits } from "./limits.js";
import type { GuestMemory } from "./memory.js";
import { Outbox } from "./outbox.js";
import { Wasi } from "./wasi.js";
import type { Watch } from "./watch.js";

/** `anyplug.wire.v1.LogLevel`, by its numbers. */
const levels: readonly LogLevel[] = ["info", "trace", "debug", "info", "warn", "error"];
/** Bytes of a line that are kept, and lines of one call into the guest. */
const maxLineBytes = 8192;
const maxLines = 1000;
/** Bytes that `crypto.getRandomValues` fills at once, at most. */
const randomBytes = 65_536;

/** What a guest did while it ran. */
export class Imports {
  readonly outbox = new Outbox();
  /** Lines that were not handed on yet. */
  logs: LogRecord[] = [];
  #memory: GuestMemory | undefined;
  #linesLeft = maxLines;
  readonly #name: string;
  readonly #limits: WasmLimits;
  readonly #watch: Watch;

  constructor(name: string, limits: WasmLimits, watch: Watch) {
    this.#name = name;
    this.#limits = limits;
    this.#watch = watch;
  }

  /** Takes the memory, which exists when the guest does. */
  use(memory: GuestMemory): void {
    this.#memory = memory;
  }

  /** A call into the guest begins. */
  begin(): void {
    this.#linesLeft = maxLines;
  }

  /** The functions by name, as a module imports them. */
  readonly functions: Readonly<Record<string, (...values: number[]) => number | undefined>> = {
    send: (pointer = 0, size = 0) => {
      const memory = this.#range("send", pointer, size);
      if (this.outbox.length + (size >>> 0) > this.#limits.maxMemoryBytes) {
        const sent = `sent more than ${this.#limits.maxMemoryBytes} bytes in one go`;
        throw this.#watch.end(exhausted(this.#name, sent, "maxMemoryBytes"));
      }
      this.outbox.push(memory, pointer >>> 0, size >>> 0);
      return undefined;
    },
    clock: (which) => (which === 0 ? performance.now() : performance.timeOrigin + performance.now()),
    random: (pointer = 0, size = 0) => {
      this.#random("random", pointer, size);
      return undefined;
    },
    log: (level = 0, pointer = 0, size = 0) => {
      const { bytes } = this.#range("log", pointer, size);
      const from = pointer >>> 0;
      const line = text.decode(bytes.subarray(from, from + Math.min(size >>> 0, maxLineBytes)));
      this.#log(levels[level] ?? "info", this.#name, line);
      return undefined;
    },
    checkpoint: () => {
      this.#watch.check();
      return undefined;
    },
  };

  /** What a module that was built for WASI imports. */
  get wasi(): Wasi["functions"] {
    return new Wasi(this.#name, {
      range: (what, pointer, size) => this.#range(what, pointer, size),
      random: (pointer, size) => this.#random("random_get", pointer, size),
      log: (level, logger, line) => this.#log(level, logger, line),
      end: (reason) => this.#watch.end(reason),
    }).functions;
  }

  #random(what: string, pointer: number, size: number): void {
    const { bytes } = this.#range(what, pointer, size);
    const end = (pointer >>> 0) + (size >>> 0);
    for (let from = pointer >>> 0; from < end; from += randomBytes) {
      crypto.getRandomValues(bytes.subarray(from, Math.min(end, from + randomBytes)) as Uint8Array<ArrayBuffer>);
      // The guest is not charged for what is done here.
      this.#watch.check();
    }
  }

  #log(level: LogLevel, logger: string, message: string): void {
    if (this.#linesLeft === 0) return;
    this.#linesLeft -= 1;
    this.logs.push({ level, message, logger, timeMs: Date.now(), fields: {} });
  }

  #range(what: string, pointer: number, size: number): GuestMemory {
    const memory = this.#memory;
    if (memory?.has(pointer >>> 0, size >>> 0)) return memory;
    const bytes = `${size >>> 0} bytes at ${pointer >>> 0}`;
    throw this.#watch.end(broken(this.#name, `${what} was given ${bytes}, and its memory has ${memory?.length ?? 0}`));
  }
}

const text = new TextDecoder();
