/** A peer that speaks JSON-RPC 2.0, over any channel. */

import { AnyplugError, type Channel, Code, type LimitOptions, type LogRecord } from "@anyplug/core";
import { mergeLimits } from "@anyplug/core/transports";
import type { Json } from "@anyplug/json";
import { JsonObject, parseJson } from "@anyplug/json";
import { failureText, invalidRequest, parseError } from "./error.js";
import { Incoming, type Served } from "./incoming.js";
import { idText, isArray, type Message, member, messageOf } from "./message.js";
import { Outgoing } from "./outgoing.js";
import { type Framing, framed, MessageReader } from "./reader.js";

/** What a peer is made with. */
export interface PeerOptions {
  /** What the peer may call. Default: nothing. */
  readonly served?: Served | undefined;
  /** Of these, the largest message (a message of JSON, in bytes), the requests that may be pending in each direction, and the bytes of one call that may wait unread. */
  readonly limits?: LimitOptions | undefined;
  /** What comes may be printed by the peer's program: what is no message goes to the log, and is not answered. */
  readonly prints?: boolean | undefined;
  readonly onLog?: ((record: LogRecord) => void) | undefined;
  /** Takes the lines that were printed. Default: they go to the log. */
  readonly onPrinted?: ((line: string) => void) | undefined;
}

/** One end of a JSON-RPC connection: it calls, and is called. */
export class JsonRpcPeer {
  /** The calls of this side. */
  readonly calls: Outgoing;
  /** Resolves with the reason when the channel has ended. */
  readonly closed: Promise<AnyplugError>;
  readonly #channel: Channel;
  readonly #options: PeerOptions;
  readonly #incoming: Incoming;
  readonly #reader: MessageReader;
  #framing: Framing = "lines";
  #isFull = false;
  #waiting: (() => void)[] = [];
  /** What the peer sent and has not been answered. */
  #open = 0;
  #idle: (() => void)[] = [];
  #failure: AnyplugError | undefined;
  #ended: AnyplugError | undefined;
  #resolveClosed: (reason: AnyplugError) => void = () => {};

  /** Begins to read from `channel`. */
  constructor(channel: Channel, options: PeerOptions = {}) {
    this.#channel = channel;
    this.#options = options;
    const { maxMessageBytes, maxPendingRequests: maxPending, maxBufferBytes } = mergeLimits(options.limits);
    const write = (text: string) => this.#write(text);
    this.calls = new Outgoing({ write, maxPending, maxBufferBytes });
    this.#incoming = new Incoming(options.served ?? nothing, {
      write,
      room: () => this.room(),
      maxPending,
      maxBufferBytes,
    });
    this.#reader = new MessageReader(maxMessageBytes, (text, framing) => this.#text(text, framing));
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    channel.open({
      data: (bytes) => this.#data(bytes),
      drain: () => this.#drain(),
      closed: (reason) => this.#closed(reason),
    });
  }

  /** The peer sends nothing more, and may still read: what it called is answered, and then the channel is closed. */
  async inputEnded(): Promise<void> {
    this.#reader.end();
    await this.idle();
    this.#channel.close();
  }

  /** Resolves when the peer reads: at once, as long as it does. */
  room(): Promise<void> {
    if (!this.#isFull || this.#ended !== undefined) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves when what the peer called has been answered. */
  idle(): Promise<void> {
    return this.#open === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Ends the connection now: calls in flight end with `reason`. */
  fail(reason: AnyplugError): void {
    this.#failure ??= reason;
    this.calls.end(reason);
    this.#incoming.end(reason);
    this.#channel.close();
  }

  #data(bytes: Uint8Array): void {
    try {
      this.#reader.push(bytes);
    } catch (error) {
      const reason = AnyplugError.from(error);
      // It may have been an answer: nobody knows to which call.
      if (this.calls.size > 0) this.fail(reason);
      else this.#write(failureText("null", reason));
    }
  }

  #drain(): void {
    this.#isFull = false;
    for (const tell of this.#waiting.splice(0)) tell();
  }

  #closed(reason: AnyplugError): void {
    this.#reader.end();
    this.#ended = this.#failure ?? reason;
    this.calls.end(this.#ended);
    this.#incoming.end(this.#ended);
    this.#drain();
    this.#resolveClosed(this.#ended);
  }

  #text(text: string, framing: Framing): void {
    let json: Json;
    try {
      json = parseJson(text);
    } catch (error) {
      this.#noMessage(text, parseError, `Parse error: ${AnyplugError.from(error).message}`);
      return;
    }
    if (this.#options.prints && !isMessage(json)) {
      this.#printed(text);
      return;
    }
    this.#framing = framing;
    void this.#handle(isArray(json) ? this.#batch(json, text.length) : this.#message(messageOf(json), text.length));
  }

  async #handle(answering: Promise<string | undefined>): Promise<void> {
    this.#open += 1;
    const answer = await answering;
    if (answer !== undefined) this.#write(answer);
    this.#open -= 1;
    if (this.#open === 0) for (const tell of this.#idle.splice(0)) tell();
  }

  async #batch(all: readonly Json[], bytes: number): Promise<string | undefined> {
    if (all.length === 0) {
      const error = new AnyplugError(Code.InvalidArgument, "Invalid Request: an empty batch");
      return failureText("null", error, invalidRequest);
    }
    const each = all.map((json) => this.#message(messageOf(json), Math.ceil(bytes / all.length)));
    const answers = (await Promise.all(each)).filter((answer) => answer !== undefined);
    return answers.length === 0 ? undefined : `[${answers.join(",")}]`;
  }

  async #message(message: Message, bytes: number): Promise<string | undefined> {
    switch (message.kind) {
      case "invalid": {
        const error = new AnyplugError(Code.InvalidArgument, `Invalid Request: ${message.why}`);
        return failureText(message.id, error, invalidRequest);
      }
      case "answer":
        if (!this.calls.answer(message.id, message.result, message.error)) {
          const what = message.error === null ? "an answer" : "an error";
          this.#log("debug", `${what} that nothing waits for, to request ${message.id}`);
        }
        return undefined;
      case "request": {
        const { id, method, params } = message;
        const about = id === undefined && method === "$/message" ? idText(member(params, "id")) : undefined;
        if (about !== undefined && this.calls.has(about)) this.calls.message(about, member(params, "value"), bytes);
        else return this.#incoming.request(message, bytes);
        return undefined;
      }
    }
  }

  #noMessage(text: string, number: number, why: string): void {
    const error = new AnyplugError(Code.InvalidArgument, why);
    if (!this.#options.prints) this.#write(failureText("null", error, number));
    else if (/^[[{].*"jsonrpc"/s.test(text)) {
      const short = text.length > 200 ? `${text.slice(0, 200)}…` : text;
      this.fail(new AnyplugError(Code.Internal, `what came is not JSON: ${why}: ${short}`));
    } else this.#printed(text);
  }

  #printed(line: string): void {
    if (this.#options.onPrinted === undefined) this.#log("info", line);
    else this.#options.onPrinted(line);
  }

  #log(level: LogRecord["level"], message: string): void {
    this.#options.onLog?.({ level, message, logger: "json-rpc", timeMs: Date.now(), fields: {} });
  }

  #write(text: string): void {
    if (this.#ended === undefined && !this.#channel.write([framed(text, this.#framing)])) this.#isFull = true;
  }
}

const nothing: Served = {
  name: "this host",
  version: "",
  services: [],
  transport: {
    unary: () => Promise.reject(new AnyplugError(Code.Unimplemented, "nothing is served")),
    stream: () => {
      throw new AnyplugError(Code.Unimplemented, "nothing is served");
    },
  },
};

/** What a program prints is hardly ever this. */
function isMessage(json: Json): boolean {
  const one = isArray(json) ? (json[0] ?? null) : json;
  return one instanceof JsonObject && one.members.some(([name]) => name === "jsonrpc");
}
