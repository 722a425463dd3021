/** Limits how long something is waited for. */

import { Code } from "./code.js";
import { AnyplugError } from "./error.js";

/**
 * Waits for `promise`, up to `ms` milliseconds (Infinity: without end) and until `signal` is aborted. The promise itself goes on.
 *
 * @throws AnyplugError (rejects) what `late` returns when the time is over; CANCELLED, or the reason, when the signal is aborted; else as the promise.
 */
export async function within<T>(
  promise: Promise<T>,
  ms: number,
  signal?: AbortSignal,
  late: () => AnyplugError = () => new AnyplugError(Code.DeadlineExceeded, `it took longer than ${ms} ms`),
): Promise<T> {
  if (signal?.aborted) throw AnyplugError.from(signal.reason, Code.Cancelled);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let abort: (() => void) | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      promise.then(resolve, reject);
      if (ms < 0x8000_0000) timer = setTimeout(() => reject(late()), ms);
      abort = () => reject(AnyplugError.from(signal?.reason, Code.Cancelled));
      signal?.addEventListener("abort", abort);
    });
  } finally {
    clearTimeout(timer);
    if (abort !== undefined) signal?.removeEventListener("abort", abort);
  }
}
