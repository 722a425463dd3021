/** Streamed calls that this side makes. */

import { Code } from "../code.js";
import type { MethodDescriptor } from "../descriptor.js";
import { AnyplugError } from "../error.js";
import type { MessageEvent } from "../event.js";
import type { Metadata } from "../header.js";
import { MessageQueue } from "../queue.js";
import { iterate, leave } from "../stream.js";
import type { Begun, CallOptions } from "../transport.js";
import type { Engine } from "./engine.js";
import { callerFailed, encodeRequest, noResponse, OutgoingCall, secondResponse } from "./outgoing.js";

/** A call with a stream in one direction or both. */
export class StreamCall<O> extends OutgoingCall {
  /** The responses, for the caller to read. */
  readonly responses: MessageQueue<O>;
  readonly #method: MethodDescriptor<unknown, O>;
  #count = 0;
  #trailer: Metadata = [];
  #requests: AsyncIterator<object> | Iterator<object> | undefined;
  #wake: (() => void) | undefined;

  constructor(engine: Engine, method: MethodDescriptor<unknown, O>, options: CallOptions | undefined) {
    super(engine, method, options);
    this.#method = method;
    this.responses = new MessageQueue({
      taken: (bytes) => {
        this.engine.session.consume(this.id, bytes);
        this.engine.settle();
      },
      reached: () => this.#tellTrailer(),
      abandoned: () => this.cancel(new AnyplugError(Code.Cancelled, "the caller left the stream before its end")),
    });
  }

  /** @throws AnyplugError when the call cannot be made. */
  start(index: number, begun: Begun, requests: AsyncIterable<object> | Iterable<object>): void {
    if (this.method.kind === "server_stream") {
      const [request = {}] = requests as Iterable<object>;
      return this.request(index, begun, encodeRequest(this.method, request));
    }
    this.request(index, begun, undefined);
    void this.#send(requests);
  }

  override writable(): void {
    this.#wake?.();
  }

  protected received(event: MessageEvent): void {
    this.#count += 1;
    if (this.#count > 1 && this.method.kind === "client_stream") return this.cancel(secondResponse(this.method));
    const response = this.decode(this.#method, event);
    if (response !== undefined) this.responses.push(response, event.to - event.from);
  }

  /** It is told when the reader comes to the end. */
  protected override trailer(metadata: Metadata): void {
    this.#trailer = metadata;
  }

  #tellTrailer(): AnyplugError | undefined {
    try {
      super.trailer(this.#trailer);
      return undefined;
    } catch (error) {
      return AnyplugError.from(error);
    }
  }

  protected finished(error: AnyplugError | undefined): void {
    const missing = this.method.kind === "client_stream" && this.#count === 0 ? noResponse(this.method) : undefined;
    const reason = error ?? missing;
    if (reason === undefined) this.responses.finish();
    else this.responses.fail(reason);
    this.#wake?.();
    leave(this.#requests);
  }

  /** What was received and not read is dropped: nobody waits for it any more. */
  protected override cancel(...reason: Parameters<OutgoingCall["cancel"]>): void {
    this.responses.drop();
    super.cancel(...reason);
  }

  async #send(requests: AsyncIterable<object> | Iterable<object>): Promise<void> {
    const { session } = this.engine;
    try {
      const iterator = iterate(requests);
      this.#requests = iterator;
      for (;;) {
        const next = await iterator.next();
        if (this.ended || next.done === true) break;
        while (session.credit(this.id) === 0 && !this.ended) await this.#untilWritable();
        if (this.ended) return;
        const { bytes, length } = encodeRequest(this.method, next.value);
        session.sendMessage(this.id, bytes, false, undefined, length);
        const turn = this.engine.settleStream();
        if (turn !== undefined) await turn;
      }
      this.#requests = undefined;
      session.halfClose(this.id);
      this.engine.settle();
    } catch (error) {
      const reason = AnyplugError.from(error);
      this.cancel(reason, callerFailed(reason));
    }
  }

  #untilWritable(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
