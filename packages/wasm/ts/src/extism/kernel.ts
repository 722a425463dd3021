/** The functions that an Extism plugin calls: https://github.com/extism/extism/tree/main/kernel says what they are. */

import { AnyplugError, Code, type LogLevel } from "@anyplug/core";
import { broken, exhausted } from "../failure.js";
import type { WasmLimits } from "../limits.js";
import { maxLineBytes, type Surroundings } from "../surroundings.js";
import type { Watch } from "../watch.js";
import { Blocks } from "./blocks.js";
import { Http, type WholeResponse } from "./http.js";
import type { ExtismSettings } from "./settings.js";
import { Vars } from "./vars.js";

/** `get_log_level`: of all levels the lowest, and that nothing is wanted. */
const everything = 0;
const nothing = 0x7fff_ffff;
/** What is kept of an error. */
const maxErrorBytes = 65_536;

type KernelFunction = (...values: never[]) => bigint | number | undefined;

/** What one instance sees of its host. */
export class Kernel {
  readonly blocks: Blocks;
  readonly #name: string;
  readonly #settings: ExtismSettings;
  readonly #limits: WasmLimits;
  readonly #watch: Watch;
  readonly #surroundings: Surroundings;
  readonly #vars: Vars;
  readonly #http: Http;
  #input = 0;
  #inputLength = 0;
  #output = 0;
  #outputLength = 0;
  #error = 0;
  #response: WholeResponse | undefined;

  constructor(settings: ExtismSettings, limits: WasmLimits, watch: Watch, surroundings: Surroundings) {
    const { name, allowedHosts, send } = settings;
    this.#name = name;
    this.#settings = settings;
    this.#limits = limits;
    this.#watch = watch;
    this.#surroundings = surroundings;
    this.blocks = new Blocks(limits.maxMemoryBytes);
    this.#vars = new Vars(settings.maxVarBytes);
    this.#http = new Http(name, allowedHosts, send);
  }

  /** A call begins. @throws AnyplugError RESOURCE_EXHAUSTED when there is no room for its input. */
  begin(input: Uint8Array): void {
    this.#input = this.blocks.store(input);
    this.#inputLength = input.length;
    if (this.#input !== 0 || input.length === 0) return;
    this.end();
    throw exhausted(this.#name, `has no room for an input of ${input.length} bytes`, "maxMemoryBytes");
  }

  /** What the plugin gave back, in bytes that are the caller's. */
  output(): Uint8Array {
    return this.blocks.bytes.slice(this.#output, this.#output + this.#outputLength);
  }

  /** The error that the plugin set. */
  error(): string | undefined {
    const length = this.#error === 0 ? -1 : this.blocks.length(this.#error);
    if (length < 0) return undefined;
    return text.decode(this.blocks.bytes.subarray(this.#error, this.#error + Math.min(length, maxErrorBytes)));
  }

  /** A call has ended: what it had is given back. */
  end(): void {
    this.blocks.reset();
    this.#input = 0;
    this.#inputLength = 0;
    this.#output = 0;
    this.#outputLength = 0;
    this.#error = 0;
    this.#response = undefined;
  }

  /** The functions of `extism:host/env`. */
  get functions(): Readonly<Record<string, KernelFunction>> {
    return { ...this.#memory(), ...this.#streams(), ...this.#values(), ...this.#requests(), ...this.#lines() };
  }

  /** Those of `extism:host/user`: bytes in a block, and bytes in a new one. */
  get userFunctions(): Readonly<Record<string, KernelFunction>> {
    const { functions } = this.#settings;
    return Object.fromEntries(Object.entries(functions).map(([name, run]) => [name, this.#userFunction(name, run)]));
  }

  #userFunction(name: string, run: ExtismSettings["functions"][string]): KernelFunction {
    return (offset: bigint) => {
      const input = Number(offset) === 0 ? new Uint8Array(0) : this.#block(name, offset).slice();
      let answer: Uint8Array | string | undefined;
      try {
        answer = run(input);
      } catch (error) {
        throw this.#watch.end(AnyplugError.from(error, Code.Internal));
      }
      // A function that gives nothing back is imported without a result, which the engine leaves out.
      return this.#store(typeof answer === "string" ? encoder.encode(answer) : answer);
    };
  }

  #memory(): Record<string, KernelFunction> {
    const { blocks } = this;
    const length = (offset: bigint) => BigInt(Math.max(0, blocks.length(Number(offset))));
    return {
      alloc: (size: bigint) => {
        const bytes = Number(size);
        // A size beyond 2^63 is one below 0 here.
        if (bytes >= 0) return BigInt(this.#alloc(bytes));
        blocks.isFull = true;
        return 0n;
      },
      free: (offset: bigint) => {
        const at = Number(offset);
        blocks.free(at);
        if (at === this.#input) this.#inputLength = 0;
        return undefined;
      },
      length,
      length_unsafe: length,
      load_u8: (offset: bigint) => blocks.bytes[this.#range("load_u8", offset, 1)],
      load_u64: (offset: bigint) => blocks.view.getBigInt64(this.#range("load_u64", offset, 8), true),
      store_u8: (offset: bigint, value: number) => {
        blocks.bytes[this.#range("store_u8", offset, 1)] = value;
        return undefined;
      },
      store_u64: (offset: bigint, value: bigint) => {
        blocks.view.setBigInt64(this.#range("store_u64", offset, 8), value, true);
        return undefined;
      },
    };
  }

  #streams(): Record<string, KernelFunction> {
    const { blocks } = this;
    return {
      input_length: () => BigInt(this.#inputLength),
      input_offset: () => BigInt(this.#input),
      input_load_u8: (offset: bigint) => blocks.bytes[this.#inputRange("input_load_u8", offset, 1)],
      input_load_u64: (offset: bigint) => blocks.view.getBigInt64(this.#inputRange("input_load_u64", offset, 8), true),
      output_set: (offset: bigint, length: bigint) => {
        const size = Number(length);
        this.#output = size === 0 ? 0 : this.#range("output_set", offset, size);
        this.#outputLength = size;
        return undefined;
      },
      error_set: (offset: bigint) => {
        if (offset !== 0n) this.#block("error_set", offset);
        this.#error = Number(offset);
        return undefined;
      },
      error_get: () => BigInt(this.#error),
    };
  }

  #values(): Record<string, KernelFunction> {
    const { config, maxVarBytes } = this.#settings;
    return {
      config_get: (key: bigint) => {
        const value = config.get(this.#text("config_get", key));
        return this.#store(value === undefined ? undefined : encoder.encode(value));
      },
      var_get: (key: bigint) => this.#store(this.#vars.get(this.#text("var_get", key))),
      var_set: (key: bigint, value: bigint) => {
        const name = this.#text("var_set", key);
        if (value === 0n) this.#vars.remove(name);
        const wanted = value === 0n ? undefined : this.#vars.set(name, this.#block("var_set", value));
        if (wanted === undefined) return undefined;
        const wants = `wants to keep ${wanted} bytes of variables, over the limit of ${maxVarBytes}`;
        const message = `plugin "${this.#name}" ${wants}; raise maxVarBytes`;
        throw this.#watch.end(new AnyplugError(Code.ResourceExhausted, message));
      },
    };
  }

  #requests(): Record<string, KernelFunction> {
    const { maxHttpResponseBytes } = this.#settings;
    return {
      http_request: (request: bigint, body: bigint) => {
        const asked = this.#text("http_request", request);
        const sent = body === 0n ? undefined : this.#block("http_request", body).slice();
        try {
          this.#response = this.#http.request(asked, sent, () => this.#watch.left(), maxHttpResponseBytes);
        } catch (error) {
          // When its time is over, that is why.
          this.#watch.check();
          throw this.#watch.end(AnyplugError.from(error));
        }
        return this.#store(this.#response.body);
      },
      http_status_code: () => this.#response?.status ?? 0,
      http_headers: () => {
        const { headers } = this.#response ?? {};
        return this.#store(headers === undefined ? undefined : encoder.encode(JSON.stringify(headers)));
      },
    };
  }

  #lines(): Record<string, KernelFunction> {
    const { onLog } = this.#settings;
    const line = (level: LogLevel) => (offset: bigint) => {
      const bytes = this.#block(`log_${level}`, offset);
      if (onLog === undefined) return undefined;
      this.#surroundings.log(level, this.#name, text.decode(bytes.subarray(0, maxLineBytes)));
      return undefined;
    };
    return {
      get_log_level: () => (onLog === undefined ? nothing : everything),
      log_trace: line("trace"),
      log_debug: line("debug"),
      log_info: line("info"),
      log_warn: line("warn"),
      log_error: line("error"),
    };
  }

  #alloc(bytes: number): number {
    const offset = this.blocks.alloc(bytes);
    // The guest is not charged for the bytes that are set to 0.
    if (bytes > maxErrorBytes) this.#watch.check();
    return offset;
  }

  /** A new block with these bytes; 0 when there are none, or there is no room. */
  #store(bytes: Uint8Array | undefined): bigint {
    if (bytes === undefined || bytes.length === 0) return 0n;
    const offset = this.blocks.store(bytes);
    if (offset !== 0) return BigInt(offset);
    const what = `has no room for ${bytes.length} bytes more, with the most that it may have: ${this.#limits.maxMemoryBytes}`;
    throw this.#watch.end(exhausted(this.#name, what, "maxMemoryBytes"));
  }

  #text(what: string, offset: bigint): string {
    return text.decode(this.#block(what, offset));
  }

  /** The bytes of a block. */
  #block(what: string, offset: bigint): Uint8Array {
    const at = Number(offset);
    const length = this.blocks.length(at);
    if (length >= 0) return this.blocks.bytes.subarray(at, at + length);
    throw this.#broken(`${what} was given ${unsigned(offset)}, which is no block`);
  }

  #range(what: string, offset: bigint, size: number): number {
    const at = Number(offset);
    if (size >= 0 && this.blocks.has(at, size)) return at;
    const bytes = size < 0 ? unsigned(BigInt(size)) : size;
    throw this.#broken(`${what} was given ${bytes} bytes at ${unsigned(offset)}, which it has not allocated`);
  }

  #inputRange(what: string, offset: bigint, size: number): number {
    const at = Number(offset);
    if (at >= 0 && at + size <= this.#inputLength) return this.#input + at;
    throw this.#broken(
      `${what} was given ${size} bytes at ${unsigned(offset)}, and the input has ${this.#inputLength}`,
    );
  }

  #broken(what: string): Error {
    return this.#watch.end(broken(this.#name, what, "Extism"));
  }
}

/** A number of 64 bits as the plugin means it. */
function unsigned(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

const text = new TextDecoder();
const encoder = new TextEncoder();
