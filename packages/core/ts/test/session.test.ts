/** Sessions against each other, in whatever order things happen. The rules one by one are in test/vectors. */

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Code } from "../src/code.js";
import { AnyplugError } from "../src/error.js";
import type { SessionEvent } from "../src/event.js";
import { type Role, Session } from "../src/session.js";
import { failure, okStatus } from "../src/status.js";
import { concat } from "./hex.js";

// What is generated is the same in each run, unless it is given another seed.
fc.configureGlobal({ seed: Number(process.env["ANYPLUG_SEED"] ?? 1) });

const services = [{ name: "demo.v1.Service", fingerprint: "", methods: ["Call"] }];

function session(role: Role, limits = {}): Session {
  return new Session({ role, name: role, version: "1", runtime: "", services, uses: [], limits });
}

/** What one side knows of its calls, checked against what it is told. */
class Side {
  readonly session: Session;
  readonly own: number[] = [];
  readonly answering: number[] = [];
  /** Bytes on their way to this side. */
  wire: Uint8Array = new Uint8Array();
  closed = false;
  /** What was sent and received on each call, as "direction call", in order. */
  readonly sent = new Map<string, string[]>();
  readonly received = new Map<string, string[]>();
  readonly unread: { call: number; bytes: number }[] = [];

  constructor(role: Role, limits: object) {
    this.session = session(role, limits);
  }

  handle(event: SessionEvent): void {
    switch (event.type) {
      case "request":
        this.answering.push(event.call);
        if (event.payload !== undefined) note(this.received, `request ${event.call}`, event.payload);
        return;
      case "message": {
        const isAnswer = this.own.includes(event.call);
        note(this.received, `${isAnswer ? "answer" : "request"} ${event.call}`, event.payload);
        this.unread.push({ call: event.call, bytes: event.payload.length });
        if (event.end && isAnswer) remove(this.own, event.call);
        return;
      }
      case "end":
        remove(this.own, event.call);
        return;
      case "cancelled":
        remove(this.answering, event.call);
        return;
      case "closed":
        this.closed = true;
    }
  }
}

function note(log: Map<string, string[]>, key: string, payload: Uint8Array): void {
  log.set(key, [...(log.get(key) ?? []), Buffer.from(payload).toString("hex")]);
}

function remove(list: number[], call: number): void {
  const place = list.indexOf(call);
  if (place >= 0) list.splice(place, 1);
}

const step = fc.record({
  side: fc.nat(1),
  what: fc.constantFrom(
    "request",
    "stream",
    "send",
    "answer",
    "end",
    "half",
    "cancel",
    "expire",
    "consume",
    "deliver",
    "ping",
  ),
  pick: fc.nat(1000),
  size: fc.oneof(fc.nat(20), fc.nat(400)),
});

test("whatever two sessions do, in whatever order: neither fails, and what arrives is what was sent, in order", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), fc.integer({ min: 50, max: 400 }), (steps, initialCreditBytes) => {
      const sides = [
        new Side("host", { initialCreditBytes, maxPendingRequests: 4, maxMessageBytes: 300 }),
        new Side("plugin", { maxBufferBytes: 1000 }),
      ] as const;
      const flush = () => {
        for (const [index, side] of sides.entries()) {
          const other = sides[1 - index];
          if (other !== undefined) other.wire = concat([other.wire, ...side.session.takeOutput()]);
        }
      };
      const deliver = (side: Side, bytes: number) => {
        const chunk = side.wire.slice(0, bytes);
        side.wire = side.wire.slice(bytes);
        side.session.receive(chunk);
      };
      const poll = (side: Side) => {
        for (let event = side.session.nextEvent(); event !== undefined; event = side.session.nextEvent())
          side.handle(event);
      };
      for (const { side: index, what, pick, size } of [
        ...steps,
        ...Array.from({ length: 8 }, (_, at) => ({ side: at % 2, what: "deliver", pick: 1e6, size: 1e6 })),
      ]) {
        const side = sides[index as 0 | 1];
        const { session } = side;
        const ownCall = side.own[pick % Math.max(1, side.own.length)];
        const answered = side.answering[pick % Math.max(1, side.answering.length)];
        const payload = new Uint8Array(size).fill(pick);
        try {
          perform();
        } catch (error) {
          expect(error).toBeInstanceOf(AnyplugError);
          expect([Code.ResourceExhausted, Code.FailedPrecondition]).toContain(AnyplugError.from(error).code);
        }
        poll(side);
        flush();
        expect(side.session.unreadBytes).toBeLessThanOrEqual(8_388_608);

        function perform(): void {
          switch (what) {
            case "request":
            case "stream": {
              const end = what === "request";
              const call = session.request("demo.v1.Service", "Call", { end, ...(end ? { payload } : {}) });
              side.own.push(call);
              // An id that is used again begins anew.
              for (const log of [side.sent, side.received]) log.delete(`answer ${call}`);
              side.sent.delete(`request ${call}`);
              const other = sides[1 - index];
              other?.received.delete(`request ${call}`);
              if (end) note(side.sent, `request ${call}`, payload);
              return;
            }
            case "send":
              if (ownCall === undefined || session.credit(ownCall) === 0) return;
              session.sendMessage(ownCall, payload, false);
              return note(side.sent, `request ${ownCall}`, payload);
            case "answer":
              if (answered === undefined || session.credit(answered) === 0) return;
              session.sendMessage(answered, payload, pick % 3 === 0);
              note(side.sent, `answer ${answered}`, payload);
              if (pick % 3 === 0) remove(side.answering, answered);
              return;
            case "end":
              if (answered === undefined) return;
              session.endCall(answered, pick % 2 === 0 ? okStatus : failure(Code.Aborted, "no"));
              return remove(side.answering, answered);
            case "half":
              return ownCall === undefined ? undefined : session.halfClose(ownCall);
            case "cancel":
              return ownCall === undefined ? undefined : session.cancel(ownCall, failure(Code.Cancelled, "enough"));
            case "expire":
              return answered === undefined ? undefined : session.expire(answered);
            case "consume": {
              const read = side.unread.shift();
              return read === undefined ? undefined : session.consume(read.call, read.bytes);
            }
            case "ping":
              return side.session.peer === undefined ? undefined : session.ping(Uint8Array.of(pick));
            case "deliver":
              return deliver(side, pick % 7 === 0 ? 1 + (pick % 50) : 1e6);
          }
        }
      }
      for (const [index, side] of sides.entries()) {
        expect(side.closed).toBe(false);
        const other = sides[1 - index];
        for (const [key, messages] of side.received) {
          // What was cancelled, or ended, in the meantime may lack its end, and nothing else.
          expect(other?.sent.get(key)?.slice(0, messages.length)).toEqual(messages);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("whatever bytes come, a session ends with a status at the worst", () => {
  const hello = concat(session("host").takeOutput());
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, opened) => {
      const plugin = session("plugin");
      if (opened) plugin.receive(hello);
      plugin.receive(bytes);
      const events: SessionEvent[] = [];
      for (let event = plugin.nextEvent(); event !== undefined; event = plugin.nextEvent()) events.push(event);
      const closed = events.filter(({ type }) => type === "closed");
      expect(closed.length).toBeLessThanOrEqual(1);
      if (closed.length === 1) expect(events.at(-1)?.type).toBe("closed");
    }),
    { numRuns: 500 },
  );
});

describe("ids", () => {
  function opened(): Session {
    const host = session("host", { maxPendingRequests: 3 });
    const plugin = session("plugin");
    plugin.receive(concat(host.takeOutput()));
    host.receive(concat(plugin.takeOutput()));
    while (host.nextEvent() !== undefined);
    return host;
  }

  test("start over after the largest, past those in use", () => {
    const host = opened();
    const request = () => host.request("demo.v1.Service", "Call", { end: true });
    expect([request(), request()]).toEqual([1, 3]);
    host.skipTo(0xffff_ffff);
    expect(request()).toBe(0xffff_ffff);
    host.cancel(0xffff_ffff, failure(Code.Cancelled, ""));
    expect(request()).toBe(5);
  });
});

test("an event queue gives its memory back after a flood, and the order stays", () => {
  const host = session("host");
  const plugin = session("plugin");
  plugin.receive(concat(host.takeOutput()));
  host.receive(concat(plugin.takeOutput()));
  for (let round = 0; round < 2; round++) {
    for (let index = 0; index < 3000; index++) host.ping(Uint8Array.of(index, index >> 8));
    plugin.receive(concat(host.takeOutput()));
    host.receive(concat(plugin.takeOutput()));
    const seen: number[] = [];
    for (let event = host.nextEvent(); event !== undefined; event = host.nextEvent()) {
      if (event.type === "pong") seen.push((event.payload[0] ?? 0) + (event.payload[1] ?? 0) * 256);
    }
    expect(seen).toEqual(Array.from({ length: 3000 }, (_, index) => index));
  }
});
