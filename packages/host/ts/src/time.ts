/** Limits how long something is waited for. */

import { AnyplugError, Code } from "@anyplug/core";
import { eventsOfATurn } from "@anyplug/ipc";

/**
 * Waits for `promise`, up to `ms` milliseconds (Infinity: without end) and until `signal` is aborted. The promise itself goes on.
 *
 * @throws AnyplugError (rejects) what `late` returns when the time is over; CANCELLED, or the reason, when the signal is aborted; else as the promise.
 */
export async function withinTime<T>(
  promise: Promise<T>,
  ms: number,
  signal?: AbortSignal,
  late: () => AnyplugError | Promise<AnyplugError> = () =>
    new AnyplugError(Code.DeadlineExceeded, `it took longer than ${ms} ms`),
): Promise<T> {
  if (signal?.aborted) throw AnyplugError.from(signal.reason, Code.Cancelled);
  let timer: NodeJS.Timeout | undefined;
  let abort: (() => void) | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      promise.then(resolve, reject);
      // Where a busy machine comes to look late, what happened in time is heard first.
      const giveUp = () => eventsOfATurn().then(late).then(reject, reject);
      if (ms < 0x8000_0000) timer = setTimeout(giveUp, ms);
      abort = () => reject(AnyplugError.from(signal?.reason, Code.Cancelled));
      signal?.addEventListener("abort", abort);
    });
  } finally {
    clearTimeout(timer);
    if (abort !== undefined) signal?.removeEventListener("abort", abort);
  }
}
