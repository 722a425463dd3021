/** `node:timers/promises` in a WebAssembly module. */

interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  readonly ref?: boolean | undefined;
}

/** Resolves with `value` after that many milliseconds; rejects with an AbortError when the signal is aborted before. */
export function setTimeout<Value = void>(
  delayMs?: number,
  value?: Value,
  { signal }: WaitOptions = {},
): Promise<Value> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(aborted(signal));
    const abort = () => {
      clearTimeout(timer);
      if (signal !== undefined) reject(aborted(signal));
    };
    const timer = globalThis.setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve(value as Value);
    }, delayMs);
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Resolves with `value` in the next turn. */
export function setImmediate<Value = void>(value?: Value, options?: WaitOptions): Promise<Value> {
  return setTimeout(0, value, options);
}

/** Yields `value` every that many milliseconds. */
export async function* setInterval<Value = void>(
  delayMs?: number,
  value?: Value,
  options?: WaitOptions,
): AsyncGenerator<Value> {
  for (;;) yield await setTimeout(delayMs, value as Value, options);
}

/** `scheduler.wait` and `scheduler.yield`. */
export const scheduler = {
  wait: (delayMs: number, options?: WaitOptions): Promise<void> => setTimeout(delayMs, undefined, options),
  yield: (): Promise<void> => setImmediate(),
};

function aborted(signal: AbortSignal): Error {
  const error = new Error("The operation was aborted", { cause: signal.reason });
  error.name = "AbortError";
  return Object.assign(error, { code: "ABORT_ERR" });
}
