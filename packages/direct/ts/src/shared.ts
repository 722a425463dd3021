/** What both sides of a direct link share: the calls in flight, and how the link ends. */

import { AnyplugError, Code, type LogRecord } from "@anyplug/core";

/** A call in flight, as the link sees it. The link sets the other members. */
export interface OpenCall {
  /** Ends the call at both of its sides. */
  cancel(reason: AnyplugError): void;
  isOpen: boolean;
  older: OpenCall | undefined;
  newer: OpenCall | undefined;
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
  /** The calls in flight are linked to each other: a Set would cost a small call an eighth of its time. */
  #oldest: OpenCall | undefined;
  #newest: OpenCall | undefined;
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
  checkOpen(callee: Callee): void {
    if (this.#reason !== undefined || this.#draining || callee.pending >= callee.mostPending) {
      throw this.#refusal(callee);
    }
  }

  #refusal({ name, mostPending }: Callee): AnyplugError {
    if (this.#reason !== undefined) return ended(this.#reason);
    if (this.#draining) {
      return new AnyplugError(Code.Unavailable, `the connection to "${name}" is draining: it takes no new calls`);
    }
    const open = `there are ${mostPending} requests, as many as "${name}" takes at once`;
    return new AnyplugError(Code.ResourceExhausted, `${open}; wait for one to end`);
  }

  add(call: OpenCall, callee: Callee): void {
    call.isOpen = true;
    call.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = call;
    else this.#newest.newer = call;
    this.#newest = call;
    callee.pending += 1;
  }

  /** Doing it again changes nothing. */
  remove(call: OpenCall, callee: Callee): void {
    if (!call.isOpen) return;
    call.isOpen = false;
    const { older, newer } = call;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    callee.pending -= 1;
    if (this.#draining && this.#oldest === undefined) this.#tellDrained();
  }

  drain(): Promise<void> {
    this.#draining = true;
    if (this.#oldest === undefined) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(reason: AnyplugError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    const lost = ended(reason);
    // Each that ends is taken out.
    for (let call = this.#oldest; call !== undefined; call = this.#oldest) call.cancel(lost);
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
