/** Calls that this side answers. */

import type { Call } from "../call.js";
import { Code } from "../code.js";
import { codecError, copyBelowBytes, type Encoded, encodePayload } from "../codec.js";
import { CallContext } from "../context.js";
import { type Bucket, deadlines, type Expiring } from "../deadlines.js";
import type { MethodDescriptor } from "../descriptor.js";
import { AnyplugError } from "../error.js";
import type { MessageEvent, RequestEvent } from "../event.js";
import { type CallHeader, emptyHeader, type Metadata } from "../header.js";
import { MessageQueue } from "../queue.js";
import { admit, onlyRequest, type Route, responsesOf } from "../router.js";
import { encodeStatus, errorOf, okStatus, type Status, statusOf } from "../status.js";
import { leave } from "../stream.js";
import { deadlineError } from "../transport.js";
import type { Engine, Slot } from "./engine.js";
import type { ServedNow } from "./served.js";

const noMetadata: Metadata = [];
const noBytes = new Uint8Array(0);

/** The request of a call. One that came by no frame has no `state`: its answer is kept here, until `keep` is called. */
type Request = Pick<RequestEvent, "end" | "source" | "from" | "to" | "owned"> & { readonly state?: Call };

/** One call, from its request to its end. */
export class IncomingCall implements Slot, Expiring, ServedNow {
  /** Of a call that came by no frame. */
  state: ServedNow["state"] = "pending";
  bytes: Uint8Array = noBytes;
  bucket: Bucket | undefined;
  before: Expiring | undefined;
  after: Expiring | undefined;
  readonly #engine: Engine;
  readonly #route: Route;
  readonly #id: number;
  readonly #context: CallContext;
  readonly #timeoutMs: number;
  #requests: MessageQueue<unknown> | undefined;
  /** What the handler streams, until it is exhausted. */
  #responses: AsyncIterator<unknown> | Iterator<unknown> | undefined;
  #ended = false;
  /** The session knows of the call. */
  #isKept = true;
  #wake: (() => void) | undefined;

  constructor(engine: Engine, route: Route, id: number, header: CallHeader | undefined) {
    this.#engine = engine;
    this.#route = route;
    this.#id = id;
    const timeoutMs = header?.timeoutMs;
    this.#timeoutMs = timeoutMs ?? 0;
    const deadline = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
    this.#context = new CallContext(route.method, header, deadline, engine);
  }

  /** Runs the handler. */
  begin(event: Request): void {
    const { method } = this.#route;
    this.#isKept = event.state !== undefined;
    // Only what has one answer can do without being known.
    if (method.kind !== "unary") this.keep();
    try {
      admit(this.#route, this.#context);
      const isStream = method.kind === "client_stream" || method.kind === "bidi_stream";
      if (event.end && !isStream) {
        this.#run(this.#decode(event));
      } else {
        const requests = this.#open();
        if (event.end) {
          requests.push(this.#decode(event), 0);
          requests.finish();
        }
        if (isStream) this.#run(requests);
        else
          onlyRequest(requests).then(
            (request) => this.#run(request),
            (error: unknown) => this.#fail(error),
          );
      }
    } catch (error) {
      this.#fail(error);
    }
    // Most handlers of small calls have answered by now, and then nothing needs to be known of the call.
    if (event.state !== undefined) this.#remain(event.state);
  }

  keep(): void {
    if (this.#isKept) return;
    this.#isKept = true;
    if (this.#ended) return;
    const state = this.#engine.session.keepCall(this.#id);
    if (state !== undefined) this.#remain(state);
  }

  /** The call goes on. */
  #remain(state: Call): void {
    if (this.#ended) return;
    state.owner = this;
    if (this.#context.deadline !== undefined) deadlines.add(this, this.#context.deadline);
  }

  // --- what the session tells --------------------------------------------------------------------

  message(event: MessageEvent): void {
    if (this.#ended) return;
    try {
      this.#requests?.push(this.#decode(event), event.to - event.from);
    } catch (error) {
      return this.#fail(error);
    }
    if (event.end) this.#requests?.finish();
  }

  end(): void {
    this.#requests?.finish();
  }

  cancelled(status: Status): void {
    if (this.#ended) return;
    const reason = errorOf(status);
    this.#requests?.drop();
    this.#requests?.fail(reason);
    this.#finish();
    this.#context.cancel(reason);
  }

  writable(): void {
    this.#wake?.();
  }

  expire(): void {
    this.#engine.session.cancel(this.#id, statusOf(deadlineError(this.#timeoutMs)));
    this.#engine.settle();
  }

  // --- requests ----------------------------------------------------------------------------------

  #open(): MessageQueue<unknown> {
    this.#requests = new MessageQueue({
      taken: (bytes) => {
        this.#engine.session.consume(this.#id, bytes);
        this.#engine.settle();
      },
      // What comes now stays unread: the caller runs out of credit until the handler ends the call.
      abandoned: () => {},
    });
    return this.#requests;
  }

  /** @throws AnyplugError INTERNAL when the bytes are not such a message. */
  #decode(event: Request | MessageEvent): unknown {
    const { method } = this.#route;
    try {
      return this.#engine.read(method.input, event);
    } catch (error) {
      throw codecError(Code.Internal, "request", method, "parsed", error);
    }
  }

  // --- the answer --------------------------------------------------------------------------------

  /** Calls the handler with the one request, or with the stream of requests. */
  #run(request: unknown): void {
    const { method, handler, call } = this.#route;
    try {
      const answer = call.call(handler, request, this.#context);
      if (method.kind === "server_stream" || method.kind === "bidi_stream") void this.#respond(answer);
      else if (isThenable(answer)) this.#await(answer);
      else this.#answer(answer);
    } catch (error) {
      this.#fail(error);
    }
  }

  #await(answer: PromiseLike<unknown>): void {
    answer.then(
      (response) => this.#answer(response),
      (error: unknown) => this.#fail(error),
    );
  }

  /** Sends the one response. */
  #answer(response: unknown): void {
    if (this.#ended) return;
    try {
      this.#send(response);
    } catch (error) {
      this.#fail(error);
    }
  }

  #send(response: unknown): void {
    const { session } = this.#engine;
    const { bytes, length } = encodeResponse(this.#route.method, response);
    if (this.#isKept && this.#engine.isFull) {
      void this.#engine.flushed().then(() => this.#answer(response));
      return;
    }
    const header = this.#header();
    const trailer = this.#context.takeTrailer();
    if (!this.#isKept) {
      if (header === undefined && trailer === undefined) {
        session.checkMessageSize(length);
        // What is small is overwritten by the next.
        return this.#hold("done", length < copyBelowBytes ? bytes.slice(0, length) : bytes);
      }
      this.keep();
    }
    session.sendMessage(this.#id, bytes, trailer === undefined, header, length);
    if (trailer !== undefined) session.endCall(this.#id, { ...okStatus, metadata: trailer });
    this.#finish();
    this.#engine.settle();
  }

  /** Sends what the handler streams. */
  async #respond(answer: unknown): Promise<void> {
    const { method } = this.#route;
    const { session } = this.#engine;
    try {
      const responses = responsesOf(method, isThenable(answer) ? await answer : answer);
      this.#responses = responses;
      for (;;) {
        if (this.#ended) return leave(responses);
        const next = await responses.next();
        if (this.#ended) return;
        if (next.done === true) break;
        while (session.credit(this.#id) === 0 && !this.#ended) await this.#untilWritable();
        if (this.#ended) return;
        const { bytes, length } = encodeResponse(method, next.value);
        session.sendMessage(this.#id, bytes, false, this.#header(), length);
        const turn = this.#engine.settleStream();
        if (turn !== undefined) await turn;
      }
      this.#responses = undefined;
      session.endCall(this.#id, { ...okStatus, metadata: this.#lastMetadata() });
      this.#finish();
      this.#engine.settle();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Ends the call with what the handler threw, or with why it was not run. */
  #fail(error: unknown): void {
    if (this.#ended) return;
    const reason = this.#route.failure(error);
    const metadata = [...reason.metadata, ...this.#lastMetadata()];
    if (!this.#isKept) return this.#hold("failed", encodeStatus({ ...statusOf(reason), metadata }));
    this.#engine.session.endCall(this.#id, { ...statusOf(reason), metadata });
    this.#finish();
    this.#engine.settle();
  }

  /** Keeps the answer of a call that came by no frame. */
  #hold(state: ServedNow["state"], bytes: Uint8Array): void {
    this.state = state;
    this.bytes = bytes;
    this.#finish();
  }

  /** The call header that goes before the first message, once. */
  #header(): CallHeader | undefined {
    const metadata = this.#context.takeHeader();
    return metadata === undefined ? undefined : { ...emptyHeader, metadata };
  }

  /** The metadata for the end; that of a header for which there was no message goes with it. */
  #lastMetadata(): Metadata {
    const header = this.#context.takeHeader();
    const trailer = this.#context.takeTrailer() ?? noMetadata;
    return header === undefined ? trailer : [...header, ...trailer];
  }

  #finish(): void {
    this.#ended = true;
    deadlines.remove(this);
    this.#requests?.finish();
    this.#requests?.drop();
    this.#wake?.();
    if (this.#responses !== undefined) leave(this.#responses);
    this.#responses = undefined;
  }

  #untilWritable(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/**
 * Returns a response in bytes, to be used at once.
 *
 * @throws AnyplugError INTERNAL when a member has a value that its field cannot hold.
 */
function encodeResponse(method: MethodDescriptor, response: unknown): Encoded {
  if (typeof response !== "object" || response === null) {
    throw new AnyplugError(
      Code.Internal,
      `the handler of ${method.path} gave ${String(response)} for a response; give a message`,
    );
  }
  try {
    return encodePayload(method.output, method.output.fromPartial(response));
  } catch (error) {
    throw codecError(Code.Internal, "response", method, "encoded", error);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
