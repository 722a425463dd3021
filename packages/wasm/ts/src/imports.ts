/** The functions that a guest may call. They keep what they are given, and handle nothing: a guest that runs is not called. */

import type { LogLevel } from "@anyplug/core";
import { exhausted } from "./failure.js";
import type { WasmLimits } from "./limits.js";
import { Outbox } from "./outbox.js";
import { maxLineBytes, Surroundings } from "./surroundings.js";
import type { Watch } from "./watch.js";

/** `anyplug.wire.v1.LogLevel`, by its numbers. */
const levels: readonly LogLevel[] = ["info", "trace", "debug", "info", "warn", "error"];

/** What a guest did while it ran. */
export class Imports extends Surroundings {
  readonly outbox = new Outbox();
  readonly #name: string;
  readonly #limits: WasmLimits;
  readonly #watch: Watch;

  constructor(name: string, limits: WasmLimits, watch: Watch) {
    super(name, "embedded", watch, limits.wasiFiles);
    this.#name = name;
    this.#limits = limits;
    this.#watch = watch;
  }

  /** The functions by name, as a module imports them. */
  readonly functions: Readonly<Record<string, (...values: number[]) => number | undefined>> = {
    send: (pointer = 0, size = 0) => {
      const memory = this.range("send", pointer, size);
      if (this.outbox.length + (size >>> 0) > this.#limits.maxMemoryBytes) {
        const sent = `sent more than ${this.#limits.maxMemoryBytes} bytes in one go`;
        throw this.#watch.end(exhausted(this.#name, sent, "maxMemoryBytes"));
      }
      this.outbox.push(memory, pointer >>> 0, size >>> 0);
      return undefined;
    },
    clock: (which) => (which === 0 ? performance.now() : performance.timeOrigin + performance.now()),
    random: (pointer = 0, size = 0) => {
      this.random("random", pointer, size);
      return undefined;
    },
    log: (level = 0, pointer = 0, size = 0) => {
      const { bytes } = this.range("log", pointer, size);
      const from = pointer >>> 0;
      const line = text.decode(bytes.subarray(from, from + Math.min(size >>> 0, maxLineBytes)));
      this.log(levels[level] ?? "info", this.#name, line);
      return undefined;
    },
    checkpoint: () => {
      this.#watch.check();
      return undefined;
    },
  };
}

const text = new TextDecoder();
