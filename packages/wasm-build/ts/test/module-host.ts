/** A host of one module, as small as the embedded ABI allows: for the tests of what is built here. */

import { randomFillSync } from "node:crypto";
import {
  AnyplugError,
  type Channel,
  type ChannelReceiver,
  Code,
  Connection,
  type ConnectionOptions,
  type LogRecord,
} from "@anyplug/core";

/** What a module exports. */
interface Guest {
  readonly memory: WebAssembly.Memory;
  anyplug_abi(): number;
  anyplug_alloc(length: number): number;
  anyplug_free(at: number, length: number): void;
  anyplug_recv(at: number, length: number): void;
  anyplug_call(call: number, method: number, at: number, length: number): number;
}

/** The fields of the exchange area. */
const field = { scratch: 4, scratchBytes: 8, result: 12, resultBytes: 16, wake: 20 };
const never = 0xffff_ffff;

const open = new Set<ModuleHost>();

/** Closes the hosts that a test made. */
export function closeAll(): void {
  for (const host of open) host.connection.close();
  open.clear();
}

/** A module that runs, and the connection to the plugin in it. */
export class ModuleHost implements Channel {
  readonly connection: Connection;
  /** What came over the connection's log. */
  readonly records: LogRecord[] = [];
  /** Lines that the module wrote past the connection. */
  readonly lines: string[] = [];
  readonly #guest: Guest;
  readonly #area: number;
  #receiver: ChannelReceiver | undefined;
  #waiting: Uint8Array[] = [];
  #sent: Uint8Array[] = [];
  #isRunning = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  #recorded: (() => void)[] = [];

  constructor(module: WebAssembly.Module, options: Pick<ConnectionOptions, "router" | "config"> = {}) {
    const imports = {
      send: (at: number, length: number) => void this.#sent.push(this.#bytes.slice(at, at + length)),
      clock: (which: number) => (which === 0 ? performance.now() : Date.now()),
      random: (at: number, length: number) => void randomFillSync(this.#bytes, at, length),
      log: (_level: number, at: number, length: number) => {
        this.lines.push(new TextDecoder().decode(this.#bytes.slice(at, at + length)));
      },
      checkpoint: () => {},
    };
    this.#guest = new WebAssembly.Instance(module, { anyplug: imports }).exports as unknown as Guest;
    this.#area = this.#guest.anyplug_abi();
    const onLog = (record: LogRecord) => {
      this.records.push(record);
      for (const resolve of this.#recorded.splice(0)) resolve();
    };
    open.add(this);
    this.connection = new Connection(this, { role: "host", name: "test", version: "0", ...options, onLog });
  }

  /** Waits until something was logged that matches. */
  async logged(what: RegExp): Promise<LogRecord> {
    for (;;) {
      const found = this.records.find(({ message }) => what.test(message));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#recorded.push(resolve));
    }
  }

  /** Makes a call the short way. Returns what `anyplug_call` returned, and the result. */
  call(id: number, method: number, payload: Uint8Array): { outcome: number; result: Uint8Array } {
    const outcome = this.#with(payload, (at) => this.#guest.anyplug_call(id, method, at, payload.length));
    const at = this.#word(field.result);
    const result = this.#bytes.slice(at, at + this.#word(field.resultBytes));
    this.#deliver();
    return { outcome, result };
  }

  open(receiver: ChannelReceiver): void {
    this.#receiver = receiver;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    this.#waiting.push(...chunks);
    this.#run();
    return true;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    queueMicrotask(() => this.#receiver?.closed(new AnyplugError(Code.Unavailable, "the host closed it")));
  }

  /** A guest is never called while it runs: what comes meanwhile waits. */
  #run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      for (let bytes = this.#waiting.shift(); bytes !== undefined; bytes = this.#waiting.shift()) {
        const { length } = bytes;
        this.#with(bytes, (at) => this.#guest.anyplug_recv(at, length));
        this.#deliver();
      }
    } finally {
      this.#isRunning = false;
    }
  }

  #with<T>(bytes: Uint8Array, use: (at: number) => T): T {
    const fits = bytes.length <= this.#word(field.scratchBytes);
    const at = fits ? this.#word(field.scratch) : this.#guest.anyplug_alloc(bytes.length);
    this.#bytes.set(bytes, at);
    const result = use(at);
    if (!fits) this.#guest.anyplug_free(at, bytes.length);
    return result;
  }

  /** Handles what the guest sent, and sets its timer. */
  #deliver(): void {
    clearTimeout(this.#timer);
    const wake = this.#word(field.wake);
    if (wake !== never && !this.#isClosed) this.#timer = setTimeout(() => this.#wake(), wake);
    for (const bytes of this.#sent.splice(0)) this.#receiver?.data(bytes);
  }

  #wake(): void {
    this.#guest.anyplug_recv(0, 0);
    this.#deliver();
    this.#run();
  }

  get #bytes(): Uint8Array {
    return new Uint8Array(this.#guest.memory.buffer);
  }

  #word(at: number): number {
    return new DataView(this.#guest.memory.buffer).getUint32(this.#area + at, true);
  }
}
