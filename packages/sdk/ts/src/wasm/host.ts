/** What a module's host does for the program in it. */

/** Functions that the module around the program has: packages/wasm-build/ts/engine/anyplug.wat. */
export interface Host {
  /**
   * Takes the functions through which the host reaches the program; once, while the module is built. `start` runs before the others; `recv` gets bytes of the connection;
   * `call` gets a call that is made the short way, with the arguments of `anyplug_call` (`id` may be negative: it is a u32), and when the jobs that came of it have run, `answered` says how it ended: 0 done, 1 failed, 2 pending; `tick` runs a timer that is
   * due, and returns 0 when there was none; `failed` hears of a rejection that nobody waits for, and `after` runs then, when there are no more jobs.
   */
  hooks(
    start: () => void,
    recv: (bytes: Uint8Array) => void,
    call: (id: number, method: number, bytes: Uint8Array) => void,
    answered: () => number,
    tick: () => number,
    failed: (error: unknown, promise?: unknown, isHandled?: number) => void,
    after: () => void,
  ): void;
  /** Sends bytes of the connection. They are copied. */
  send(bytes: Uint8Array): void;
  /** Gives the result of a call. It is kept until the next one, and may not change. */
  answer(bytes: Uint8Array): void;
  /** Returns text in UTF-8. Lone surrogates come out as they are. */
  encode(text: string): Uint8Array;
  /** Returns the text; null when the bytes are not UTF-8. */
  decode(bytes: Uint8Array): string | null;
  /** Says when the next timer is due, by the clock of `performance.now`; infinite when there is none. */
  wake(due: number): void;
  /** Fills the bytes with random ones, good enough for keys. While a module is built there are none, and it throws. */
  random(bytes: Uint8Array): void;
  /** Writes a line to the host's log, where no connection can carry it; levels as in `anyplug.wire.v1.LogLevel`. */
  log(line: Uint8Array, level: number): void;
}

/** The host. */
export const host: Host = (globalThis as unknown as { anyplugHost: Host }).anyplugHost;
