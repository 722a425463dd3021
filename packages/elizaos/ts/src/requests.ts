/** Requests in flight over a line protocol: each waits for the answer of its id, in whatever order answers come. */

import type { JsonObject } from "@anyplug/contracts/agent";
import { AnyplugError, Code } from "@anyplug/core";

interface Pending {
  resolve(answer: JsonObject): void;
  reject(error: AnyplugError): void;
}

/** What becomes of an id that nothing waits for. */
export interface RequestOptions {
  /** The most that may wait at once. */
  readonly maxPending: number;
  /** Writes a message: one line. */
  readonly write: (message: JsonObject) => void;
}

/** Requests in flight. */
export class Requests {
  readonly #options: RequestOptions;
  readonly #pending = new Map<string, Pending>();
  #next = 1;
  #ended: AnyplugError | undefined;

  constructor(options: RequestOptions) {
    this.#options = options;
  }

  /**
   * Sends what `message` returns for a new id, and returns the answer. When the signal is aborted nothing waits for it any more: the protocol cannot cancel.
   *
   * @throws AnyplugError (rejects) RESOURCE_EXHAUSTED when too many wait, the signal's reason, and why the peer ended.
   */
  send(signal: AbortSignal, message: (id: number) => JsonObject): Promise<JsonObject> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const { maxPending, write } = this.#options;
    if (this.#pending.size >= maxPending) {
      const full = new AnyplugError(Code.ResourceExhausted, `${maxPending} requests are pending; wait for some`);
      return Promise.reject(full);
    }
    const id = this.#next;
    this.#next += 1;
    const key = String(id);
    return new Promise((resolve, reject) => {
      const over = () => this.fail(key, AnyplugError.from(signal.reason, Code.Cancelled));
      const settle = () => signal.removeEventListener("abort", over);
      this.#pending.set(key, {
        resolve(answer) {
          settle();
          resolve(answer);
        },
        reject(error) {
          settle();
          reject(error);
        },
      });
      if (signal.aborted) {
        over();
        return;
      }
      signal.addEventListener("abort", over, { once: true });
      write(message(id));
    });
  }

  /** The answer to request `id` came. False when nothing waits for it. */
  answer(id: string, answer: JsonObject): boolean {
    const pending = this.#take(id);
    pending?.resolve(answer);
    return pending !== undefined;
  }

  /** Request `id` failed. False when nothing waits for it. */
  fail(id: string, error: AnyplugError): boolean {
    const pending = this.#take(id);
    pending?.reject(error);
    return pending !== undefined;
  }

  /** The only request that waits, if there is just one: what an answer without an id must be about. */
  get only(): string | undefined {
    const [id] = this.#pending.keys();
    return this.#pending.size === 1 ? id : undefined;
  }

  /** The peer has ended. */
  end(error: AnyplugError): void {
    this.#ended ??= error;
    for (const id of [...this.#pending.keys()]) this.fail(id, this.#ended);
  }

  #take(id: string): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }
}
