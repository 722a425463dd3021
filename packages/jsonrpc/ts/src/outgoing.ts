/** Calls that this side makes of its peer. */

import { AnyplugError, Code, MessageQueue } from "@anyplug/core";
import type { Json } from "@anyplug/json";
import { errorFrom } from "./error.js";
import { isArray, requestText } from "./message.js";

/** Where calls are written to. */
export interface OutgoingOptions {
  readonly write: (text: string) => void;
  /** The most that may be open at once. */
  readonly maxPending: number;
  /** Bytes of messages of one call that may wait unread. */
  readonly maxBufferBytes: number;
}

/** A call that waits for its answer. */
interface Call {
  readonly path: string;
  /** Messages before the answer, where the peer streams. */
  readonly messages: MessageQueue<Json> | undefined;
  buffered: number;
  answered(result: Json): void;
  failed(error: AnyplugError): void;
}

/** The calls in flight. */
export class Outgoing {
  readonly #options: OutgoingOptions;
  readonly #calls = new Map<string, Call>();
  #next = 1;
  #ended: AnyplugError | undefined;

  constructor(options: OutgoingOptions) {
    this.#options = options;
  }

  /** How many calls are open. */
  get size(): number {
    return this.#calls.size;
  }

  /**
   * Makes a call that is answered by one result. `begun` is told its id; when the signal is aborted, the peer is told.
   *
   * @throws AnyplugError (rejects) what the peer answers, why the peer has ended, RESOURCE_EXHAUSTED when too many wait.
   */
  call(path: string, params: string, meta: string, signal: AbortSignal, begun?: (id: string) => void): Promise<Json> {
    return new Promise((resolve, reject) => {
      const settle = this.#open(path, params, meta, signal, undefined, resolve, reject);
      begun?.(settle);
    });
  }

  /** Makes a call that is answered by messages. Whoever leaves them before their end cancels it. */
  stream(
    path: string,
    params: string,
    meta: string,
    signal: AbortSignal,
    begun?: (id: string) => void,
  ): MessageQueue<Json> {
    let id = "";
    const messages: MessageQueue<Json> = new MessageQueue<Json>({
      taken: (bytes) => {
        const call = this.#calls.get(id);
        if (call !== undefined) call.buffered -= bytes;
      },
      abandoned: () => this.cancel(id, new AnyplugError(Code.Cancelled, "the caller stopped reading the responses")),
    });
    const answered = (result: Json) => {
      // A peer that has all of them at once may answer with a list.
      if (isArray(result)) for (const one of result) messages.push(one, 0);
      messages.finish();
    };
    try {
      id = this.#open(path, params, meta, signal, messages, answered, (error) => messages.fail(error));
      begun?.(id);
    } catch (error) {
      messages.fail(AnyplugError.from(error));
    }
    return messages;
  }

  /** Sends a message of a call whose requests are streamed, and the end of them. */
  send(id: string, message: string | undefined): void {
    if (!this.#calls.has(id)) return;
    const [method, value] = message === undefined ? ["$/end", ""] : ["$/message", `,"value":${message}`];
    this.#options.write(requestText(undefined, method, `{"id":${id}${value}}`));
  }

  /** Whether the call goes on. */
  has(id: string): boolean {
    return this.#calls.has(id);
  }

  /** Gives a call up, and tells the peer. */
  cancel(id: string, reason: AnyplugError): void {
    if (!this.#fail(id, reason)) return;
    this.#options.write(requestText(undefined, "$/cancel", `{"id":${id}}`));
  }

  /** A message of call `id` came, of so many bytes. */
  message(id: string, value: Json, bytes: number): void {
    const call = this.#calls.get(id);
    if (call?.messages === undefined) return;
    call.buffered += bytes;
    call.messages.push(value, bytes);
    if (call.buffered <= this.#options.maxBufferBytes) return;
    const held = `${call.path} sent ${call.buffered} bytes that wait to be read, over the limit of ${this.#options.maxBufferBytes}`;
    this.cancel(id, new AnyplugError(Code.ResourceExhausted, held));
  }

  /** The answer to call `id` came. False when nothing waits for it. */
  answer(id: string, result: Json, error: Json): boolean {
    // Some answer with the number as a string; and an error without an id is about the only call there is.
    const known = this.#calls.has(id) ? id : this.#other(id, error);
    const call = this.#calls.get(known);
    if (call === undefined) return false;
    if (error !== null) return this.#fail(known, errorFrom(error));
    this.#calls.delete(known);
    call.answered(result);
    return true;
  }

  /** The peer has ended. */
  end(reason: AnyplugError): void {
    this.#ended ??= reason;
    for (const id of [...this.#calls.keys()]) this.#fail(id, this.#ended);
  }

  #other(id: string, error: Json): string {
    if (/^"\d+"$/.test(id)) return id.slice(1, -1);
    const [only = ""] = this.#calls.keys();
    return id === "null" && error !== null && this.#calls.size === 1 ? only : id;
  }

  #open(
    path: string,
    params: string,
    meta: string,
    signal: AbortSignal,
    messages: MessageQueue<Json> | undefined,
    answered: (result: Json) => void,
    failed: (error: AnyplugError) => void,
  ): string {
    if (this.#ended !== undefined) throw this.#ended;
    if (signal.aborted) throw AnyplugError.from(signal.reason, Code.Cancelled);
    const { maxPending, write } = this.#options;
    if (this.#calls.size >= maxPending) {
      throw new AnyplugError(Code.ResourceExhausted, `${maxPending} requests are pending; wait for some`);
    }
    const id = String(this.#next);
    this.#next += 1;
    const onAbort = () => this.cancel(id, AnyplugError.from(signal.reason, Code.Cancelled));
    const settled = () => signal.removeEventListener("abort", onAbort);
    this.#calls.set(id, {
      path,
      messages,
      buffered: 0,
      answered(result) {
        settled();
        answered(result);
      },
      failed(error) {
        settled();
        failed(error);
      },
    });
    signal.addEventListener("abort", onAbort, { once: true });
    write(requestText(id, path, params, meta));
    return id;
  }

  #fail(id: string, error: AnyplugError): boolean {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    call?.failed(error);
    return call !== undefined;
  }
}

/** Returns metadata as `$meta` has it; empty when there is none. Of a key that comes more than once the last value counts. */
export function metaText(metadata: readonly (readonly [string, string])[]): string {
  return metadata.length === 0 ? "" : JSON.stringify({ metadata: Object.fromEntries(metadata) });
}
