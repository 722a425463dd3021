/** Runs a session script of test/vectors/sessions, step by step: see the README there. */

import { GoAway } from "@anyplug/protocol/anyplug/wire/v1/connection.js";
import { expect } from "@jest/globals";
import { type Code, type CodeName, codeFromName, codeName } from "../src/code.js";
import { decodeMessage } from "../src/codec.js";
import { AnyplugError } from "../src/error.js";
import type { SessionEvent } from "../src/event.js";
import { FrameDecoder, FrameKind } from "../src/frame.js";
import type { CallHeader, Metadata } from "../src/header.js";
import type { ServiceEntry, ServiceUse } from "../src/hello.js";
import type { LogLevel, LogRecord } from "../src/log.js";
import { type Role, Session } from "../src/session.js";
import { decodeStatus, okStatus, type Status, statusFromWire } from "../src/status.js";
import { concat, fromHex, toHex } from "./hex.js";

interface JsonStatus {
  code: CodeName;
  message?: string;
  contains?: string[];
  details?: { type_url: string; value: string }[];
  metadata?: Metadata;
}

interface JsonHeader {
  timeout_ms?: number | null;
  metadata?: Metadata;
  traceparent?: string;
  tracestate?: string;
  origin?: string[];
}

interface JsonLog {
  level: string;
  message: string;
  logger: string;
  time_ms: number;
  fields: Record<string, string>;
}

interface Step {
  receive?: string;
  output?: string;
  output_starts?: string;
  output_frame?: { kind: number; call: number; status: JsonStatus };
  event?: { type: string; [member: string]: unknown };
  do?: string;
  returns?: unknown;
  fails?: { code: CodeName; contains: string[] };
  call?: number;
  service?: string;
  method?: string;
  payload?: string;
  end?: boolean;
  header?: JsonHeader;
  status?: JsonStatus;
  reason?: JsonStatus;
  bytes?: number;
  index?: number;
  has_header?: boolean;
  record?: JsonLog;
}

export interface Script {
  name: string;
  session: {
    role: Role;
    name: string;
    version: string;
    runtime: string;
    limits: Record<string, number>;
    services: ServiceEntry[];
    uses: ServiceUse[];
    plugin?: string;
    config?: string;
  };
  steps: Step[];
}

/** Runs a script; `split` feeds what is received byte by byte. */
export function runScript(script: Script, split: boolean): void {
  const { limits, ...who } = script.session;
  const session = new Session({
    ...who,
    limits: {
      maxMessageBytes: limits["max_message_bytes"],
      maxPendingRequests: limits["max_pending_requests"],
      initialCreditBytes: limits["initial_credit_bytes"],
      maxBufferBytes: limits["max_buffer_bytes"],
    },
  });
  const events: unknown[] = [];
  const poll = () => {
    // Payloads lie in what was received: they are read before the next bytes come.
    for (let event = session.nextEvent(); event !== undefined; event = session.nextEvent()) events.push(toJson(event));
  };
  const output = () => concat(session.takeOutput());
  for (const step of script.steps) {
    if (step.receive !== undefined) {
      const bytes = fromHex(step.receive);
      const chunks = split ? Array.from(bytes, (byte) => Uint8Array.of(byte)) : [bytes];
      for (const chunk of chunks) {
        session.receive(chunk);
        poll();
        chunk.fill(0xee);
      }
    } else if (step.output !== undefined) {
      expect(toHex(output())).toBe(step.output);
    } else if (step.output_starts !== undefined) {
      expect(toHex(output())).toMatch(new RegExp(`^${step.output_starts}`));
    } else if (step.output_frame !== undefined) {
      expectFrame(output(), step.output_frame);
    } else if (step.event !== undefined) {
      expectEvent(events.shift(), step.event);
    } else if (step.do !== undefined) {
      perform(session, step);
    }
    poll();
  }
  expect(events).toEqual([]);
  expect(toHex(output())).toBe("");
}

function perform(session: Session, step: Step): void {
  let returned: unknown;
  let failure: unknown;
  try {
    returned = operate(session, step);
  } catch (error) {
    failure = error;
  }
  if (step.fails === undefined) {
    if (failure !== undefined) throw failure;
    if (step.returns !== undefined) expect(returned).toEqual(step.returns);
    return;
  }
  expect(failure).toBeInstanceOf(AnyplugError);
  const { code, message } = AnyplugError.from(failure);
  expect(codeName(code)).toBe(step.fails.code);
  for (const text of step.fails.contains) expect(message).toContain(text);
}

function operate(session: Session, step: Step): unknown {
  const { call = 0, end = false } = step;
  const payload = step.payload === undefined ? undefined : fromHex(step.payload);
  const header = step.header === undefined ? undefined : headerFrom(step.header);
  switch (step.do) {
    case "request":
      return { call: session.request(step.service ?? "", step.method ?? "", { header, payload, end }) };
    case "send_message":
      return session.sendMessage(call, payload ?? new Uint8Array(0), end, header);
    case "half_close":
      return session.halfClose(call);
    case "end_call":
      return session.endCall(call, statusFrom(step.status));
    case "cancel":
      return session.cancel(call, statusFrom(step.status));
    case "expire":
      return session.expire(call);
    case "consume":
      return session.consume(call, step.bytes ?? 0);
    case "credit":
      return { bytes: session.credit(call) };
    case "claim_call":
      return { call: session.claimCall(payload?.length ?? 0) };
    case "adopt_call":
      return session.adoptCall(call, step.bytes ?? 0, undefined);
    case "accept_call":
      return accept(session, call, step.index ?? 0, step.has_header ?? false, payload ?? new Uint8Array(0));
    case "keep_call":
      session.keepCall(call);
      return undefined;
    case "ping":
      return session.ping(payload ?? new Uint8Array(0));
    case "log":
      return session.log(logFrom(step.record));
    case "drain":
      return session.drain();
    case "fail":
      return session.fail(statusFrom(step.status));
    case "closed":
      return session.closed(statusFrom(step.reason));
    default:
      throw new Error(`the vectors have an operation that this runner lacks: ${step.do}`);
  }
}

function accept(session: Session, call: number, index: number, hasHeader: boolean, payload: Uint8Array): object {
  const accepted = session.acceptCall(call, index, hasHeader, payload);
  if (accepted === undefined) return { broken: true };
  if (accepted.refusal !== undefined) return { refused: codeName(accepted.refusal.code as Code) };
  const { header, start } = accepted;
  return header === undefined
    ? { start }
    : { start, header: { timeout_ms: header.timeoutMs, metadata: header.metadata } };
}

function headerFrom(header: JsonHeader): CallHeader {
  return {
    timeoutMs: header.timeout_ms ?? undefined,
    metadata: header.metadata ?? [],
    traceparent: header.traceparent ?? "",
    tracestate: header.tracestate ?? "",
    origin: header.origin ?? [],
  };
}

function statusFrom(status: JsonStatus | undefined): Status {
  if (status === undefined) return okStatus;
  return {
    code: codeFromName(status.code) ?? 0,
    message: status.message ?? "",
    details: (status.details ?? []).map(({ type_url, value }) => ({ typeUrl: type_url, value: fromHex(value) })),
    metadata: status.metadata ?? [],
  };
}

function logFrom(record: JsonLog | undefined): LogRecord {
  if (record === undefined) throw new Error("a log step has a record");
  const { message, logger, fields } = record;
  return { level: record.level.toLowerCase() as LogLevel, message, logger, timeMs: record.time_ms, fields };
}

function toJson(event: SessionEvent): unknown {
  switch (event.type) {
    case "hello":
      return { type: "hello", peer: event.peer };
    case "request":
    case "message": {
      const payload = event.payload === undefined ? null : toHex(event.payload);
      return { ...event, type: event.type, payload, header: headerJson(event.header) };
    }
    case "end":
    case "cancelled":
    case "closed":
      return { ...event, status: statusJson(event.status) };
    case "goaway":
      return { ...event, status: event.status === undefined ? null : statusJson(event.status) };
    case "pong":
      return { type: "pong", payload: toHex(event.payload) };
    case "log": {
      const { level, timeMs, ...rest } = event.record;
      return { type: "log", record: { ...rest, level: level.toUpperCase(), time_ms: timeMs } };
    }
    case "writable":
    case "drained":
      return event;
  }
}

function headerJson(header: CallHeader | undefined): unknown {
  if (header === undefined) return null;
  const { timeoutMs, ...rest } = header;
  return { ...rest, timeout_ms: timeoutMs ?? null };
}

function statusJson(status: Status): unknown {
  const details = status.details.map(({ typeUrl, value }) => ({ type_url: typeUrl, value: toHex(value) }));
  return { ...status, code: codeName(status.code), details };
}

/** Compares the members that are given; `contains` of a status is looked for in its message. */
function expectEvent(actual: unknown, expected: { type: string; [member: string]: unknown }): void {
  if (actual === undefined) throw new Error(`there is no event, and ${JSON.stringify(expected)} is expected`);
  const { status, ...rest } = expected;
  expect(actual).toMatchObject(rest);
  if (status === undefined) return;
  const found = (actual as { status: unknown }).status;
  if (status === null) expect(found).toBeNull();
  else expectStatus(found, status as JsonStatus);
}

function expectStatus(actual: unknown, { contains = [], ...expected }: JsonStatus): void {
  expect(actual).toMatchObject(expected);
  for (const text of contains) expect((actual as { message: string }).message).toContain(text);
}

function expectFrame(bytes: Uint8Array, expected: { kind: number; call: number; status: JsonStatus }): void {
  const decoder = new FrameDecoder(bytes.length);
  decoder.push(bytes);
  expect(decoder.next()).toBe(true);
  expect({ kind: decoder.kind, call: decoder.call }).toEqual({ kind: expected.kind, call: expected.call });
  const payload = decoder.bytes.slice(decoder.start, decoder.end);
  const status =
    expected.kind === FrameKind.GoAway
      ? statusFromWire(decodeMessage(GoAway, payload).status ?? { code: 0, message: "", details: [], metadata: [] })
      : decodeStatus(payload);
  expectStatus(statusJson(status), expected.status);
  expect(decoder.next() || decoder.pendingBytes > 0).toBe(false);
}
