/** One instance of a plugin, and the calls into it. */

import { isMainThread } from "node:worker_threads";
import type { AnyplugError, LogLevel, LogRecord } from "@anyplug/core";
import { broken, refused } from "./failure.js";
import type { Library } from "./library.js";
import { Outbox, Room, Struct } from "./memory.js";
import type { Address, CallFunction, Native } from "./native.js";
import { absurdBytes, Result } from "./result.js";
import { abiVersion } from "./table.js";

/** `anyplug_host` of anyplug.h. */
const host = { size: 0, version: 4, context: 8, send: 16, log: 24, bytes: 32 } as const;
const headerFlag = 2 << 16;

/** Bytes of the room that results are written into; also what is collected before it is handed over. */
const roomBytes = 65_536;
/** From this size on bytes are handed over where they are, instead of being copied to others. */
const largeBytes = 16_384;

const levels: readonly LogLevel[] = ["info", "trace", "debug", "info", "warn", "error"];

/** A running instance. */
export class Guest {
  readonly outbox: Outbox;
  /** What it logged, and nobody was told yet. */
  logs: LogRecord[] = [];
  /** What the last `call` came to. */
  readonly result: Result;
  /** Why nothing of it is looked at any more. */
  failed: AnyplugError | undefined;
  readonly #library: Library;
  readonly #onSent: () => void;
  readonly #inbox: Room;
  readonly #host: Struct;
  readonly #instance: Address;
  readonly #call: CallFunction;
  readonly #id: number;
  /** This thread is in the plugin: what is sent now is looked at when it has returned. */
  #isInside = false;
  #isOver = false;
  #lastPayload: Uint8Array | undefined;
  #lastAddress = 0;

  /**
   * Makes an instance.
   *
   * @param onSent called when a thread of the plugin sent or logged something
   * @throws AnyplugError FAILED_PRECONDITION when there is no instance to be had.
   */
  constructor(library: Library, onSent: () => void) {
    const { native } = library;
    this.#library = library;
    this.#call = library.table.call;
    this.#onSent = onSent;
    this.outbox = new Outbox(native);
    this.result = new Result(native, roomBytes);
    this.#inbox = new Room(native, roomBytes);
    this.#host = new Struct(native, host.bytes);
    const { send, log } = callbacks(native);
    lastId += 1;
    this.#id = lastId;
    this.#host.setWord(host.size, host.bytes);
    this.#host.setWord(host.version, abiVersion);
    this.#host.setPointer(host.context, this.#id);
    this.#host.setPointer(host.send, send);
    this.#host.setPointer(host.log, log);
    guests.set(this.#id, this);
    this.#isInside = true;
    this.#instance = library.table.open(this.#host.address);
    this.#isInside = false;
    if (this.#instance !== 0) return;
    guests.delete(this.#id);
    const why = this.logs.at(-1)?.message;
    throw refused(`plugin "${library.hello.name}"`, `made no instance${why === undefined ? "" : `: ${why}`}`);
  }

  /** Hands bytes over, in order. */
  receive(chunks: readonly Uint8Array[]): void {
    const { bytes } = this.#inbox;
    let held = 0;
    for (const chunk of chunks) {
      if (held > 0 && held + chunk.length > bytes.length) {
        this.#recv(this.#inbox.address, held);
        held = 0;
      }
      if (chunk.length >= largeBytes) {
        if (held > 0) this.#recv(this.#inbox.address, held);
        held = 0;
        this.#recv(this.#library.native.addressOf(chunk), chunk.length);
        continue;
      }
      bytes.set(chunk, held);
      held += chunk.length;
    }
    if (held > 0) this.#recv(this.#inbox.address, held);
  }

  /** Makes a call, and returns 0, 1 or 2, as the ABI says. The message is the first `size` bytes of `payload`. */
  call(call: number, method: number, header: Uint8Array | undefined, payload: Uint8Array, size: number): number {
    if (header === undefined) return this.#enter(call, method, this.#addressOf(payload), size);
    const length = size + 4 + header.length;
    const room = this.#withHeader(header, payload, size, length);
    return this.#enter(call, method | headerFlag, room.address, length);
  }

  #enter(call: number, method: number, address: Address, length: number): number {
    const { result } = this;
    result.reset();
    this.#isInside = true;
    try {
      return this.#call(this.#instance, call, method, address, length, result.address);
    } finally {
      this.#isInside = false;
    }
  }

  /** Copies the result of the last `call`, which lies elsewhere; of one that is longer than `most` nothing is copied. */
  takeResult(most: number): Uint8Array {
    return this.result.take(most, this.#library.table.release);
  }

  /** It did what the ABI does not allow. */
  fail(what: string): void {
    this.failed ??= broken(this.#library.hello.name, what);
  }

  /** Ends the instance. Resolves to whether the library may be unloaded. */
  async close(): Promise<boolean> {
    this.#isOver = true;
    const left = await this.#library.table.close(this.#instance);
    // What comes after that is not to come; if it does, it is not heard.
    guests.delete(this.#id);
    if (left !== 0) kept.push(this.#host);
    return left === 0;
  }

  /** The process ends: a thread that sends from now on waits until it has. */
  silence(): void {
    const { pause } = this.#library.native;
    if (pause === 0) return;
    this.#host.setPointer(host.send, pause);
    this.#host.setPointer(host.log, pause);
  }

  /** The plugin sent. @internal */
  sent(data: Address, length: number): void {
    if (this.#isOver) return;
    if (length > absurdBytes) this.fail(`it sent ${length} bytes at once`);
    else if (data === 0 && length > 0) this.fail(`it sent ${length} bytes at null`);
    else if (length > 0) this.outbox.push(data, length);
    if (!this.#isInside) this.#onSent();
  }

  /** The plugin logged. @internal */
  logged(level: number, data: Address, length: number): void {
    if (this.#isOver || data === 0 || length > absurdBytes) return;
    const { native, hello } = this.#library;
    const line = new Room(native, Math.min(length, roomBytes));
    native.copy(line.address, data, line.bytes.length);
    const message = Buffer.from(line.bytes).toString("utf8");
    this.logs.push({ level: levels[level] ?? "info", message, logger: hello.name, timeMs: Date.now(), fields: {} });
    if (!this.#isInside) this.#onSent();
  }

  #recv(data: Address, length: number): void {
    this.#isInside = true;
    try {
      this.#library.table.recv(this.#instance, data, length);
    } finally {
      this.#isInside = false;
    }
  }

  /** Messages are mostly written into the same memory. */
  #addressOf(payload: Uint8Array): Address {
    if (payload === this.#lastPayload) return this.#lastAddress;
    this.#lastPayload = payload;
    this.#lastAddress = payload.length === 0 ? 0 : this.#library.native.addressOf(payload);
    return this.#lastAddress;
  }

  #withHeader(header: Uint8Array, payload: Uint8Array, size: number, length: number): Room {
    const room = length <= this.#inbox.bytes.length ? this.#inbox : new Room(this.#library.native, length);
    const { bytes } = room;
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, header.length, true);
    bytes.set(header, 4);
    bytes.set(size === payload.length ? payload : payload.subarray(0, size), 4 + header.length);
    return room;
  }
}

/** Those that are not closed, by the context that the plugin gives back. */
const guests = new Map<number, Guest>();
let lastId = 0;
/** The plugin has threads that still run: what they may look at stays. */
const kept: Struct[] = [];

interface Callbacks {
  readonly send: Address;
  readonly log: Address;
}

let made: Callbacks | undefined;

/** The functions of all hosts. Calls from other threads come to this one, in a turn of the event loop; those threads wait. */
function callbacks({ koffi }: Native): Callbacks {
  if (made !== undefined) return made;
  const pointer = "uint64_t";
  const send = koffi.register(
    (context: number, data: Address, length: number) => guests.get(context)?.sent(data, Number(length)),
    koffi.pointer(koffi.proto("void", [pointer, pointer, pointer])),
  );
  const log = koffi.register(
    (context: number, level: number, data: Address, length: number) =>
      guests.get(context)?.logged(level, data, Number(length)),
    koffi.pointer(koffi.proto("void", [pointer, "uint32_t", pointer, pointer])),
  );
  process.on("exit", leave);
  made = { send: Number(send), log: Number(log) };
  return made;
}

/**
 * The process ends, and nobody hears what threads of plugins still send. They must not come back from `send` while the environment is taken down; where there are some, it is not: the
 * process ends then as by `process.exit`.
 */
function leave(): void {
  if (guests.size === 0) return;
  for (const guest of guests.values()) guest.silence();
  if (!isMainThread) return;
  const listeners = process.rawListeners("exit");
  for (const later of listeners.slice(listeners.indexOf(leave) + 1)) later.call(process, process.exitCode ?? 0);
  process.exit();
}
