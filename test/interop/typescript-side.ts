/** A session of the TypeScript core, in this process. */

import { codeFromName, codeName } from "../../packages/core/ts/src/code.js";
import { AnyplugError } from "../../packages/core/ts/src/error.js";
import type { SessionEvent } from "../../packages/core/ts/src/event.js";
import { type CallHeader, emptyHeader } from "../../packages/core/ts/src/header.js";
import type { LogLevel } from "../../packages/core/ts/src/log.js";
import { Session } from "../../packages/core/ts/src/session.js";
import { failure, type Status } from "../../packages/core/ts/src/status.js";
import type { Answer, JsonEvent, JsonHeader, JsonSession, JsonStatus, Operation, Side } from "./step.js";

/** Payloads of events lie in what was received, so that events are read at once and kept here. */
export class TypeScriptSide implements Side {
  readonly language = "typescript";
  #session: Session | undefined;
  #events: JsonEvent[] = [];

  async begin({ limits, ...who }: JsonSession): Promise<void> {
    this.#events = [];
    this.#session = new Session({
      ...who,
      version: "1",
      runtime: "test",
      uses: [],
      limits: {
        maxMessageBytes: limits["max_message_bytes"],
        maxPendingRequests: limits["max_pending_requests"],
        initialCreditBytes: limits["initial_credit_bytes"],
        maxBufferBytes: limits["max_buffer_bytes"],
      },
    });
  }

  async perform(operation: Operation): Promise<Answer> {
    try {
      return { returns: operate(this.#open, operation) };
    } catch (error) {
      if (!(error instanceof AnyplugError)) throw error;
      return { fails: { code: codeName(error.code), message: error.message } };
    } finally {
      this.#poll();
    }
  }

  async receive(bytes: Uint8Array): Promise<void> {
    const chunk = Uint8Array.from(bytes);
    this.#open.receive(chunk);
    this.#poll();
    chunk.fill(0xee);
  }

  async output(): Promise<Uint8Array> {
    const bytes = Buffer.concat(this.#open.takeOutput());
    this.#poll();
    return bytes;
  }

  async event(): Promise<JsonEvent | null> {
    return this.#events.shift() ?? null;
  }

  async end(): Promise<void> {
    this.#session = undefined;
  }

  get #open(): Session {
    if (this.#session === undefined) throw new Error("the session has not begun");
    return this.#session;
  }

  #poll(): void {
    for (let event = this.#open.nextEvent(); event !== undefined; event = this.#open.nextEvent()) {
      this.#events.push(toJson(event));
    }
  }
}

function operate(session: Session, operation: Operation): Answer["returns"] {
  switch (operation.do) {
    case "request": {
      const { service, method, end } = operation;
      const payload = operation.payload === undefined ? undefined : Buffer.from(operation.payload, "hex");
      return { call: session.request(service, method, { header: headerFrom(operation.header), payload, end }) };
    }
    case "send_message": {
      const { call, payload, end } = operation;
      session.sendMessage(call, Buffer.from(payload, "hex"), end, headerFrom(operation.header));
      return null;
    }
    case "half_close":
      session.halfClose(operation.call);
      return null;
    case "expire":
      session.expire(operation.call);
      return null;
    case "credit":
      return { bytes: session.credit(operation.call) };
    case "end_call":
      session.endCall(operation.call, statusFrom(operation.status));
      return null;
    case "cancel":
      session.cancel(operation.call, statusFrom(operation.status));
      return null;
    case "consume":
      session.consume(operation.call, operation.bytes);
      return null;
    case "ping":
      session.ping(Buffer.from(operation.payload, "hex"));
      return null;
    case "log": {
      const { level, time_ms, ...record } = operation.record;
      session.log({ ...record, level: level.toLowerCase() as LogLevel, timeMs: time_ms });
      return null;
    }
    case "drain":
      session.drain();
      return null;
  }
}

function headerFrom(header: JsonHeader | undefined): CallHeader | undefined {
  return header && { ...emptyHeader, timeoutMs: header.timeout_ms, metadata: header.metadata ?? [] };
}

function statusFrom({ code, message = "" }: JsonStatus): Status {
  return failure(code === "OK" ? 0 : (codeFromName(code) ?? 0), message);
}

function toJson(event: SessionEvent): JsonEvent {
  switch (event.type) {
    case "request":
    case "message": {
      const payload = event.payload === undefined ? null : Buffer.from(event.payload).toString("hex");
      return { ...event, type: event.type, payload, header: headerJson(event.header) };
    }
    case "end":
    case "cancelled":
    case "closed":
      return { ...event, status: statusJson(event.status) };
    case "goaway":
      return { ...event, status: event.status === undefined ? null : statusJson(event.status) };
    case "pong":
      return { ...event, payload: Buffer.from(event.payload).toString("hex") };
    case "log": {
      const { level, timeMs, ...rest } = event.record;
      return { type: "log", record: { ...rest, level: level.toUpperCase(), time_ms: timeMs } };
    }
    default:
      return event;
  }
}

function headerJson(header: CallHeader | undefined): unknown {
  return header === undefined ? null : { timeout_ms: header.timeoutMs ?? null, metadata: header.metadata };
}

function statusJson({ code, message }: Status): unknown {
  return { code: codeName(code), message };
}
