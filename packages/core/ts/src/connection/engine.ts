/** What moves a connection: the session, the channel, and whoever waits for either. */

import type { Answer, Channel, ChannelReceiver } from "../channel.js";
import { Code } from "../code.js";
import { decodeMessage, type Encoded } from "../codec.js";
import type { Surroundings } from "../context.js";
import type { MessageCodec } from "../descriptor.js";
import { AnyplugError } from "../error.js";
import type { MessageEvent, RequestEvent, SessionEvent } from "../event.js";
import { encodeCheckedHeader } from "../header.js";
import type { LogRecord } from "../log.js";
import type { Router } from "../router.js";
import { type Role, Session, type SessionOptions } from "../session.js";
import { errorOf, failure, type Status, statusOf } from "../status.js";
import type { Begun, PeerInfo, Transport } from "../transport.js";
import { IncomingCall } from "./incoming.js";

/** One call as the engine sees it: what the session keeps with it. */
export interface Slot {
  /** When its time is over, by the clock of `performance.now`; undefined without a deadline. */
  readonly deadline?: number | undefined;
  /** A message came. */
  message(event: MessageEvent): void;
  /** From the callee: the call is over. From the caller: no message follows. */
  end(status: Status): void;
  /** The call, which this side answers, is over. */
  cancelled(status: Status): void;
  /** It may send again. */
  writable(): void;
}

/** Takes what concerns the connection as a whole. */
export interface EngineOwner {
  readonly transport: Transport;
  onHello(peer: PeerInfo): void;
  onPong(payload: Uint8Array): void;
  onLog(record: LogRecord): void;
  /** The last call ended, in a drain. */
  onDrained(): void;
  onClosed(reason: AnyplugError): void;
}

/** From this many bytes on, output is written at once. */
const eagerBytes = 65_536;
/** As many calls that are made or answered together go out while others are still being made: the peer begins with them. */
const eagerCalls = 32;
/** How long a message of a stream waits for others to go with it, in milliseconds. */
const streamDelayMs = 0.25;
/** How long streams may keep the turn, in milliseconds. */
const turnMs = 4;

/** How many turns of the promises output waits at most, for as long as each adds to it. */
const maxRounds = 8;
/** Costs less than queueMicrotask. */
const turn = Promise.resolve();

type Later = (callback: () => void) => void;

/** Runs a callback at the end of the turn: where there is `process.nextTick`, when no promise has anything to do any more. */
const atEndOfTurn: Later =
  (globalThis as { process?: { nextTick?: Later } }).process?.nextTick ?? ((callback) => queueMicrotask(callback));

/** Runs a callback when what came in the meantime was handled. */
const inNextTurn: Later =
  (globalThis as { setImmediate?: Later }).setImmediate ?? ((callback) => setTimeout(callback, 0));

/** Drives a session over a channel. */
export class Engine implements ChannelReceiver, Surroundings {
  readonly session: Session;
  readonly router: Router;
  readonly #role: Role;
  readonly #channel: Channel;
  readonly #owner: EngineOwner;
  #processing = false;
  /** Turns of the promises that output may still wait for more; 0: none waits. */
  #roundsLeft = 0;
  #bytesBefore = 0;
  /** Calls made or answered since the last write. */
  #held = 0;
  /** When the first message of a stream came to wait that was not written yet; 0: none waits. */
  #streamedSince = 0;
  /** When the first message of a stream was sent in this turn; 0: none was. */
  #turnSince = 0;
  /** The channel has enough for now. */
  #blocked = false;
  /** The id of the last call that was made the short way. */
  nowId = 0;
  #waitingForFlush: (() => void)[] = [];
  #peerInfo: PeerInfo = { name: "", version: "", runtime: "" };
  #peerDrains = false;
  readonly #flushAtEndOfTurn = () => {
    this.#turnSince = 0;
    this.flush();
  };
  /** Calls that are made or answered one after the other, in promises that are settled now, go out together. */
  readonly #flushWhenQuiet = () => {
    const { outputBytes } = this.session;
    this.#roundsLeft -= 1;
    if (outputBytes > this.#bytesBefore && this.#roundsLeft > 0) {
      this.#bytesBefore = outputBytes;
      void turn.then(this.#flushWhenQuiet);
      return;
    }
    this.#roundsLeft = 0;
    this.flush();
  };

  constructor(channel: Channel, options: SessionOptions, router: Router, owner: EngineOwner) {
    this.#role = options.role;
    this.session = new Session(options);
    this.router = router;
    this.#channel = channel;
    this.#owner = owner;
  }

  /** Opens the channel and says hello. */
  open(): void {
    this.#channel.open(this);
    this.flush();
  }

  // --- what calls need ---------------------------------------------------------------------------

  /** Handles what the session has to tell, and sees to it that what it wrote is sent. To be called after each use of the session. */
  settle(): void {
    this.#process();
    const { outputBytes } = this.session;
    if (outputBytes === 0) return;
    this.#held += 1;
    if (outputBytes >= eagerBytes || this.#held >= eagerCalls) return this.flush();
    if (this.#roundsLeft > 0) return;
    this.#roundsLeft = maxRounds;
    this.#bytesBefore = outputBytes;
    void turn.then(this.#flushWhenQuiet);
  }

  /**
   * As {@link settle}, after a message of a stream. A sender that has messages without waiting for anything would keep the turn: what it sent is written after a moment, and
   * after a while a promise is returned that it has to wait for.
   */
  settleStream(): Promise<void> | undefined {
    this.#process();
    const now = performance.now();
    if (this.#streamedSince === 0) this.#streamedSince = now;
    if (this.#turnSince === 0) {
      this.#turnSince = now;
      atEndOfTurn(this.#flushAtEndOfTurn);
    }
    if (this.session.outputBytes >= eagerBytes || now - this.#streamedSince >= streamDelayMs) this.flush();
    if (now - this.#turnSince < turnMs) return undefined;
    this.#turnSince = 0;
    return new Promise(inNextTurn);
  }

  /**
   * Reads the message of an event. It shares no memory with what was received, or that memory is its own.
   *
   * @throws Error of the codec.
   */
  read<T>(codec: MessageCodec<T>, event: Pick<MessageEvent, "source" | "from" | "to" | "owned">): T {
    return decodeMessage(codec, event.source, event.from, event.to, event.owned);
  }

  /** Whether as much waits to be written as may: answers wait then. */
  get isFull(): boolean {
    return this.session.outputBytes >= this.session.limits.maxBufferBytes;
  }

  /** Resolves when something of what waits was written, or never will be. */
  flushed(): Promise<void> {
    return new Promise((resolve) => this.#waitingForFlush.push(resolve));
  }

  // --- calls that are answered at once -------------------------------------------------------------

  /** Whether the peer is in this process, and answers unary calls at once where it can. */
  get answersNow(): boolean {
    return this.#channel.callNow !== undefined;
  }

  /** Writes what was to be written before the next call. False when it has to go by frames behind that. */
  get isClearForCall(): boolean {
    if (this.session.outputBytes === 0) return !this.#blocked;
    this.flush();
    return this.session.outputBytes === 0 && !this.#blocked;
  }

  /**
   * Makes a unary call the short way. Returns undefined when it has to go by frames. For an answer that is pending, the call is to be adopted, and `delivered` called.
   *
   * @throws AnyplugError as `Session.requestAt` and `Channel.callNow`; RESOURCE_EXHAUSTED for a response over the limit, and the connection has ended.
   */
  callNow(index: number, { header, deadline = Number.POSITIVE_INFINITY }: Begun, message: Encoded): Answer | undefined {
    const { session } = this;
    const channel = this.#channel;
    const headerBytes = header === undefined ? undefined : encodeCheckedHeader(header);
    const id = session.claimCall(message.length);
    const answer = channel.callNow?.(id, index, headerBytes, message.bytes, message.length, deadline);
    if (answer === undefined) return undefined;
    this.nowId = id;
    if (answer.state === "pending") return answer;
    return answer.more || answer.to - answer.from > session.limits.maxMessageBytes ? this.#unusual(answer) : answer;
  }

  /** Apart, so that what most calls need is small enough for an engine to put it where it is called. */
  #unusual(answer: Answer): Answer {
    // What comes of it may make calls too.
    const kept = { ...answer };
    if (answer.more) this.delivered();
    const limit = this.session.limits.maxMessageBytes;
    const bytes = kept.to - kept.from;
    if (bytes <= limit) return kept;
    throw this.refuse(Code.ResourceExhausted, `a message of ${bytes} bytes is over the limit of ${limit} bytes`);
  }

  /** Takes what came during a call that was made the short way. */
  delivered(): void {
    this.#channel.deliver?.();
    this.settle();
  }

  /** Ends the connection for what the peer sent. Returns what the call that got it ends with. */
  refuse(code: Code, message: string): AnyplugError {
    this.session.fail(failure(code, message));
    this.settle();
    return new AnyplugError(Code.Unavailable, `the connection ended: ${message}`);
  }

  // --- what handlers see -------------------------------------------------------------------------

  get peerInfo(): PeerInfo {
    return this.#peerInfo;
  }

  get transport(): Transport {
    return this.#owner.transport;
  }

  get config(): unknown {
    return this.router.config;
  }

  log(record: LogRecord): void {
    if (this.#role === "host") return this.#owner.onLog(record);
    this.session.log(record);
    this.settle();
  }

  // --- the channel -------------------------------------------------------------------------------

  data(bytes: Uint8Array): void {
    this.session.receive(bytes);
    this.settle();
  }

  drain(): void {
    this.#blocked = false;
    this.flush();
  }

  closed(reason: AnyplugError, call?: number): void {
    if (call === undefined) this.session.closed(statusOf(reason));
    else this.session.peerFailed(statusOf(reason), call);
    this.settle();
  }

  latestDeadline(): number {
    let latest = Number.NEGATIVE_INFINITY;
    for (const owner of this.session.openOwners()) {
      const { deadline } = owner as Slot;
      // There may be thousands.
      if (deadline === undefined) return Number.POSITIVE_INFINITY;
      if (deadline > latest) latest = deadline;
    }
    return latest === Number.NEGATIVE_INFINITY ? Number.POSITIVE_INFINITY : latest;
  }

  /** Writes what is to be written, unless the channel has enough. */
  flush(): void {
    if (this.#blocked || this.session.outputBytes === 0) return;
    this.#held = 0;
    this.#streamedSince = 0;
    this.#blocked = !this.#channel.write(this.session.takeOutput());
    this.#process();
    if (this.#waitingForFlush.length > 0) this.#tellFlushed();
  }

  // --- inside ------------------------------------------------------------------------------------

  #process(): void {
    // A handler that runs for an event uses the session too; what comes of it is the turn of the loop that runs it.
    if (this.#processing) return;
    this.#processing = true;
    try {
      for (let event = this.session.nextEvent(); event !== undefined; event = this.session.nextEvent())
        this.#handle(event);
    } finally {
      this.#processing = false;
    }
  }

  #handle(event: SessionEvent): void {
    switch (event.type) {
      case "message":
        return (event.state.owner as Slot | undefined)?.message(event);
      case "request":
        return this.#request(event);
      case "end":
        return (event.state.owner as Slot | undefined)?.end(event.status);
      case "cancelled":
        return (event.state.owner as Slot | undefined)?.cancelled(event.status);
      case "writable":
        return (event.state.owner as Slot | undefined)?.writable();
      case "hello": {
        const { name, version, runtime } = event.peer;
        this.#peerInfo = { name, version, runtime };
        return this.#owner.onHello(this.#peerInfo);
      }
      case "pong":
        return this.#owner.onPong(event.payload);
      case "log":
        return this.#owner.onLog(event.record);
      case "goaway":
        this.#peerDrains = event.status === undefined;
        return;
      case "drained":
        this.#owner.onDrained();
        // The one that was asked ends it: it knows that nothing of its own is on the way any more.
        if (this.#peerDrains) this.session.closed(drained);
        return;
      case "closed":
        return this.#end(event.status);
    }
  }

  #request(event: RequestEvent): void {
    const route = this.router.routes[event.index];
    if (route !== undefined) new IncomingCall(this, route, event.call, event.header).begin(event);
  }

  #end(status: Status): void {
    // The last words go out whatever the channel says: it takes what it is given, and there will be no more.
    const output = this.session.takeOutput();
    if (output.length > 0) this.#channel.write(output);
    this.#channel.close();
    this.#blocked = true;
    this.#tellFlushed();
    this.#owner.onClosed(errorOf(status));
  }

  #tellFlushed(): void {
    for (const resolve of this.#waitingForFlush.splice(0)) resolve();
  }
}

const drained = failure(Code.Unavailable, "the peer drained the connection");
