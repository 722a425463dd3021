/** A connection whose peer is no connection: what it makes of frames that a well-behaved peer would not send. */

import { EchoRequest, EchoResponse, SumRequest } from "@anyplug/generated/anyplug/test/v1/test.js";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { describe, expect, test } from "@jest/globals";
import { Code } from "../src/code.js";
import { Connection } from "../src/connection.js";
import type { SessionEvent } from "../src/event.js";
import { emptyHeader } from "../src/header.js";
import { Reflection } from "../src/reflection.js";
import { Router } from "../src/router.js";
import { type Role, Session } from "../src/session.js";
import { failure, okStatus } from "../src/status.js";
import { collect, failureOf, serving } from "./behaviours.js";
import { memoryChannels } from "./memory.js";

const services = [Reflection, Test].map(({ name, fingerprint, methods }) => {
  return { name, fingerprint, methods: methods.map((method) => method.name) };
});

/** A connection, and a session that the test plays by hand. */
class Played {
  readonly connection: Connection;
  readonly session: Session;
  readonly events: SessionEvent[] = [];
  readonly #write: () => void;
  #waiting: (() => void) | undefined;

  constructor(role: Role, handler: Parameters<typeof serving>[0] = {}) {
    const [channel, other] = memoryChannels();
    const router = new Router({
      services: role === "plugin" ? [serving(handler)] : [],
      grants: "all",
      onError: () => {},
    });
    this.connection = new Connection(channel, { role, name: "real", version: "1", router });
    const played = role === "plugin" ? "host" : "plugin";
    this.session = new Session({ role: played, name: "played", version: "1", runtime: "", services, uses: [] });
    this.#write = () => other.write(this.session.takeOutput());
    other.open({
      data: (bytes) => {
        this.session.receive(bytes);
        for (let event = this.session.nextEvent(); event !== undefined; event = this.session.nextEvent()) {
          this.events.push(event.type === "message" || event.type === "request" ? copied(event) : event);
        }
        this.#write();
        this.#waiting?.();
      },
      drain: () => {},
      closed: () => {},
    });
    this.#write();
  }

  /** Waits for the next event of that type, and gives it. Others before it are dropped. */
  async until<T extends SessionEvent["type"]>(type: T): Promise<Extract<SessionEvent, { type: T }>> {
    for (;;) {
      const event = this.events.shift();
      if (event?.type === type) return event as Extract<SessionEvent, { type: T }>;
      if (event !== undefined) continue;
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }

  /** Says what `act` does to the session. */
  say(act: (session: Session) => void): void {
    act(this.session);
    this.#write();
  }
}

/** What lies in received memory is read at once. */
function copied<T extends { payload: Uint8Array | undefined }>(event: T): T {
  return Object.defineProperty(event, "payload", { value: event.payload?.slice() });
}

const hello = EchoResponse.encode(EchoResponse.fromPartial({ text: "hello" })).finish();

describe("a callee that breaks what its kind promises", () => {
  test("success without a response is INTERNAL", async () => {
    const peer = new Played("host");
    const call = failureOf(peer.connection.client(Test).echo({}));
    const request = await peer.until("request");
    peer.say((session) => session.endCall(request.call, okStatus));
    expect(await call).toMatchObject({ code: Code.Internal, message: expect.stringContaining("without a response") });
  });

  test("a second response is INTERNAL, and the call is cancelled", async () => {
    const peer = new Played("host");
    const call = failureOf(peer.connection.client(Test).echo({}));
    const request = await peer.until("request");
    peer.say((session) => {
      session.sendMessage(request.call, hello, false);
      session.sendMessage(request.call, hello, false);
    });
    expect(await call).toMatchObject({ code: Code.Internal, message: expect.stringContaining("second response") });
    expect(await peer.until("cancelled")).toMatchObject({ status: { code: Code.Internal } });
  });

  test("a client stream without a response, and one with two", async () => {
    const peer = new Played("host");
    const sum = () => peer.connection.client(Test).sum([] as unknown as AsyncIterable<object>);
    const none = failureOf(sum());
    const first = await peer.until("request");
    peer.say((session) => session.endCall(first.call, okStatus));
    expect(await none).toMatchObject({ code: Code.Internal });
    const two = failureOf(sum());
    const second = await peer.until("request");
    peer.say((session) => {
      session.sendMessage(second.call, new Uint8Array(), false);
      session.sendMessage(second.call, new Uint8Array(), false);
    });
    expect(await two).toMatchObject({ code: Code.Internal });
  });

  test("a response that cannot be parsed fails its call, of a stream after what came before", async () => {
    const peer = new Played("host");
    const call = failureOf(peer.connection.client(Test).echo({}));
    const unary = await peer.until("request");
    peer.say((session) => session.sendMessage(unary.call, Uint8Array.of(0x0a, 5, 1), true));
    expect(await call).toMatchObject({ code: Code.Internal, message: expect.stringContaining("cannot be parsed") });
    const stream = failureOf(collect(peer.connection.client(Test).count({})));
    const request = await peer.until("request");
    peer.say((session) => session.sendMessage(request.call, Uint8Array.of(0xff), false));
    expect(await stream).toMatchObject({ code: Code.Internal });
    expect(await peer.until("cancelled")).toMatchObject({ call: request.call });
    const next = peer.connection.client(Test).echo({});
    const again = await peer.until("request");
    peer.say((session) => session.sendMessage(again.call, hello, true));
    expect((await next).text).toBe("hello");
  });

  test("an answer that comes late is nobody's", async () => {
    const peer = new Played("host");
    const controller = new AbortController();
    const call = failureOf(peer.connection.client(Test).echo({}, { signal: controller.signal }));
    const request = await peer.until("request");
    controller.abort();
    await call;
    peer.say((session) => session.sendMessage(request.call, hello, true));
    await peer.connection.ping();
  });
});

describe("a caller that breaks what the kind promises", () => {
  const echo = { echo: ({ text }: EchoRequest) => ({ text }) };
  const request = EchoRequest.encode(EchoRequest.fromPartial({ text: "hi" })).finish();

  async function connected(handler: Parameters<typeof serving>[0] = echo): Promise<Played> {
    const peer = new Played("plugin", handler);
    await peer.until("hello");
    return peer;
  }

  test("a unary request may come as a stream of one message", async () => {
    const peer = await connected();
    peer.say((session) => {
      const call = session.request(Test.name, "Echo", { end: false });
      session.sendMessage(call, request, true);
    });
    const { payload } = await peer.until("message");
    expect(EchoResponse.decode(payload).text).toBe("hi");
  });

  test("a unary request without its message, or with two, is INTERNAL", async () => {
    const peer = await connected();
    peer.say((session) => session.halfClose(session.request(Test.name, "Echo", { end: false })));
    expect(await peer.until("end")).toMatchObject({ status: { code: Code.Internal } });
    peer.say((session) => {
      const call = session.request(Test.name, "Echo", { end: false });
      session.sendMessage(call, request, false);
      session.sendMessage(call, request, true);
    });
    expect(await peer.until("end")).toMatchObject({ status: { code: Code.Internal } });
  });

  test("a stream of requests may come as one message with the request", async () => {
    const peer = await connected({
      async sum(requests) {
        let sum = 0n;
        for await (const { number } of requests) sum += number;
        return { sum };
      },
    });
    const payload = SumRequest.encode(SumRequest.fromPartial({ number: 7n })).finish();
    peer.say((session) => session.request(Test.name, "Sum", { payload, end: true }));
    expect([...(await peer.until("message")).payload]).toEqual([8, 7]);
  });

  test("a request that cannot be parsed fails its call", async () => {
    const peer = await connected();
    peer.say((session) => session.request(Test.name, "Echo", { payload: Uint8Array.of(0x0a, 9), end: true }));
    const { status } = await peer.until("end");
    expect(status.code).toBe(Code.Internal);
    expect(status.message).toContain("the request of anyplug.test.v1.TestService/Echo cannot be parsed");
    peer.say((session) => session.request(Test.name, "Echo", { payload: request, end: true }));
    await peer.until("message");
  });

  test("a request without time left is not handled, nor is one that came through too many", async () => {
    let calls = 0;
    const peer = await connected({
      echo() {
        calls += 1;
        return {};
      },
    });
    const origin = Array.from({ length: 17 }, (_, index) => `p${index}`);
    for (const [header, code] of [
      [{ ...emptyHeader, timeoutMs: 0 }, Code.DeadlineExceeded],
      [{ ...emptyHeader, origin }, Code.FailedPrecondition],
    ] as const) {
      peer.say((session) => session.request(Test.name, "Echo", { header, payload: request, end: true }));
      expect(await peer.until("end")).toMatchObject({ status: { code } });
    }
    expect(calls).toBe(0);
  });

  test("an answer after the caller gave up goes nowhere", async () => {
    let answer: (response: object) => void = () => {};
    const peer = await connected({
      echo: () => new Promise((resolve) => (answer = resolve)),
    });
    peer.say((session) => {
      const call = session.request(Test.name, "Echo", { payload: request, end: true });
      session.cancel(call, failure(Code.Cancelled, "never mind"));
    });
    await peer.connection.ping();
    answer({ text: "late" });
    await peer.connection.ping();
    expect(peer.events.filter(({ type }) => type === "message")).toEqual([]);
  });
});
