/** Waits before a call is made, for no longer than the call may take. */

import { type Bucket, deadlines, type Expiring } from "../deadlines.js";
import type { AnyplugError } from "../error.js";
import { abortError, type Begun, type CallOptions, deadlineError } from "../transport.js";

/** Resolves with what `promise` does, unless the call's time is over, or it is cancelled, before. */
export function waitWithin<T>(promise: Promise<T>, begun: Begun, options: CallOptions | undefined): Promise<T> {
  const signals = [options?.signal, options?.within?.signal].filter((signal) => signal !== undefined);
  if (begun.deadline === undefined && signals.length === 0) return promise;
  return new Promise((resolve, reject) => {
    const wait = new Wait(begun.timeoutMs, signals, reject);
    if (begun.deadline !== undefined) deadlines.add(wait, begun.deadline);
    promise.then(resolve, reject).finally(() => wait.finish());
  });
}

class Wait implements Expiring {
  bucket: Bucket | undefined;
  before: Expiring | undefined;
  after: Expiring | undefined;
  readonly #timeoutMs: number;
  readonly #signals: readonly AbortSignal[];
  readonly #reject: (error: AnyplugError) => void;

  constructor(timeoutMs: number, signals: readonly AbortSignal[], reject: (error: AnyplugError) => void) {
    this.#timeoutMs = timeoutMs;
    this.#signals = signals;
    this.#reject = reject;
    for (const signal of signals) signal.addEventListener("abort", this);
  }

  handleEvent({ target }: Event): void {
    this.finish();
    this.#reject(abortError(target as AbortSignal));
  }

  expire(): void {
    this.finish();
    this.#reject(deadlineError(this.#timeoutMs));
  }

  finish(): void {
    deadlines.remove(this);
    for (const signal of this.#signals) signal.removeEventListener("abort", this);
  }
}
