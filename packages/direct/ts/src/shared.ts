/** What both sides of a direct link share: the calls in flight, and how the link ends. */

import { AnyplugError, Code, type LogRecord } from "@anyplug/core";

/** A call in flight, as the link sees it. */
export interface OpenCall {
  /** Ends the call at both of its sides. */
  cancel(reason: AnyplugError): void;
}

/** A side, as the one that answers calls. */
export interface Callee {
  readonly name: string;
  /** Calls that it answers at once. */
  readonly mostPending: number;
  /** Those that it answers now. */
  pending: number;
}

/** The state of a link. */
export class Shared {
  /** Resolves with the reason when the link has ended. */
  readonly closed: Promise<AnyplugError>;
  readonly #onLog: ((record: LogRecord) => void) | undefined;
  readonly #calls = new Set<OpenCall>();
  #reason: AnyplugError | undefined;
  #draining = false;
  #waiting: (() => void)[] = [];
  #resolveClosed: (reason: AnyplugError) => void = () => {};

  constructor(onLog: ((record: LogRecord) => void) | undefined) {
    this.#onLog = onLog;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** @throws AnyplugError UNAVAILABLE when the link has ended or drains, RESOURCE_EXHAUSTED when as many calls are open as may. */
  checkOpen({ name, mostPending, pending }: Callee): void {
    if (this.#reason !== undefined) throw ended(this.#reason);
    if (this.#draining) {
      throw new AnyplugError(Code.Unavailable, `the connection to "${name}" is draining: it takes no new calls`);
    }
    if (pending >= mostPending) {
      const open = `there are ${mostPending} requests, as many as "${name}" takes at once`;
      throw new AnyplugError(Code.ResourceExhausted, `${open}; wait for one to end`);
    }
  }

  add(call: OpenCall, callee: Callee): void {
    this.#calls.add(call);
    callee.pending += 1;
  }

  /** Doing it again changes nothing. */
  remove(call: OpenCall, callee: Callee): void {
    if (!this.#calls.delete(call)) return;
    callee.pending -= 1;
    if (this.#draining && this.#calls.size === 0) this.#tellDrained();
  }

  drain(): Promise<void> {
    this.#draining = true;
    if (this.#calls.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(reason: AnyplugError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    const lost = ended(reason);
    for (const call of [...this.#calls]) call.cancel(lost);
    this.#tellDrained();
    this.#resolveClosed(reason);
  }

  /** Takes a record of a handler. A plugin's log is its host's. */
  log(record: LogRecord): void {
    try {
      this.#onLog?.(record);
    } catch (error) {
      console.error("anyplug: onLog failed:", error);
    }
  }

  #tellDrained(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function ended({ message }: AnyplugError): AnyplugError {
  return new AnyplugError(Code.Unavailable, `the connection ended: ${message}`);
}
