/** What calls do, whatever carries them. Run over a connection here, over the direct transport in its own tests. */

import type { HandlerContext } from "@anyplug/core/codegen/v1";
import {
  type CountResponse,
  type EchoRequest,
  type EchoResponse,
  FailDetail,
} from "@anyplug/generated/anyplug/test/v1/test.js";
import {
  Host,
  type HostHandler,
  Secret,
  Test,
  type TestClient,
  type TestHandler,
} from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Code } from "../src/code.js";
import type { Metadata } from "../src/header.js";
import type { LogRecord } from "../src/log.js";
import type { Implementation } from "../src/router.js";
import type { Link } from "../src/transport.js";

/** What a test sets up. */
export interface Setup {
  readonly plugin?: readonly Implementation[];
  readonly host?: readonly Implementation[];
  readonly grants?: readonly string[];
  readonly config?: unknown;
  readonly onLog?: (record: LogRecord) => void;
  readonly onError?: (error: unknown) => void;
}

/** A transport under test. */
export interface Wiring {
  /** Makes an error of the library that the transport uses. */
  error(code: Code, message: string, options?: object): Error;
  /** Connects a host to a plugin and returns the host's end. */
  connect(setup: Setup): Promise<Link>;
}

/** What an error says, whichever copy of the library it is of. */
export interface Failure {
  readonly code: Code;
  readonly message: string;
  readonly details: readonly { typeUrl: string; value: Uint8Array }[];
  readonly metadata: Metadata;
}

/** Returns what a promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  try {
    await promise;
  } catch (error) {
    expect((error as Error).name).toBe("AnyplugError");
    return error as Failure;
  }
  throw new Error("the call succeeded, and a failure was expected");
}

export async function collect<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

/** A promise and what settles it. */
export function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** Resolves when the call of that context is cancelled. */
export function cancellationOf({ signal }: HandlerContext): Promise<Failure> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason as Failure);
    signal.addEventListener("abort", () => resolve(signal.reason as Failure));
  });
}

export function serving(handler: Partial<TestHandler>): Implementation {
  return { service: Test, handler };
}

export function hosting(handler: HostHandler): Implementation {
  return { service: Host, handler };
}

const echo: Partial<TestHandler> = {
  echo: (request: EchoRequest) => ({ text: request.text, data: request.data }),
};

export function behaviours({ connect, error }: Wiring): void {
  const escaped: unknown[] = [];
  const note = (reason: unknown) => escaped.push(reason);
  beforeAll(() => {
    process.on("unhandledRejection", note);
  });
  afterAll(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", note);
    expect(escaped).toEqual([]);
  });

  async function client(handler: Partial<TestHandler>, setup: Setup = {}): Promise<TestClient> {
    const link = await connect({ ...setup, plugin: [serving(handler)] });
    // So that a short timeout is that of a call alone.
    await link.negotiate(Test);
    return link.client(Test);
  }

  describe("the four kinds of call", () => {
    test("unary, by a plain and by an async handler", async () => {
      expect((await (await client(echo)).echo({ text: "hi" })).text).toBe("hi");
      const later = await client({ echo: async (request) => ({ text: `${request.text}!` }) });
      expect((await later.echo({ text: "hi" })).text).toBe("hi!");
    });

    test("server stream, from an async generator, a generator and an array", async () => {
      const indexes = async (handler: Partial<TestHandler>) =>
        (await collect((await client(handler)).count({ count: 3 }))).map(({ index }) => index);
      async function* later(request: { count: number }) {
        for (let index = 0; index < request.count; index++) yield { index };
      }
      function* now(request: { count: number }) {
        for (let index = 0; index < request.count; index++) yield { index };
      }
      expect(await indexes({ count: later })).toEqual([0, 1, 2]);
      expect(await indexes({ count: now })).toEqual([0, 1, 2]);
      expect(await indexes({ count: () => [{ index: 7 }] })).toEqual([7]);
      expect(await indexes({ count: () => [] })).toEqual([]);
    });

    test("client stream, of an async iterable and of an array", async () => {
      const adder = await client({
        async sum(requests) {
          let sum = 0n;
          let count = 0;
          for await (const { number } of requests) {
            sum += number;
            count += 1;
          }
          return { sum, count };
        },
      });
      async function* numbers() {
        for (let number = 1n; number <= 4n; number++) yield { number };
      }
      expect(await adder.sum(numbers())).toMatchObject({ sum: 10n, count: 4 });
      const list = [{ number: 5n }, { number: -7n }] as unknown as AsyncIterable<{ number: bigint }>;
      expect(await adder.sum(list)).toMatchObject({ sum: -2n, count: 2 });
      async function* nothing() {}
      expect(await adder.sum(nothing())).toMatchObject({ sum: 0n, count: 0 });
    });

    test("both directions at once, each answer before the next request", async () => {
      const talker = await client({
        async *converse(requests) {
          for await (const { text } of requests) yield { text: text.toUpperCase() };
        },
      });
      const heard: string[] = [];
      let answered = deferred();
      async function* lines() {
        for (const text of ["a", "b", "c"]) {
          answered = deferred();
          yield { text };
          await answered.promise;
        }
      }
      for await (const { text } of talker.converse(lines())) {
        heard.push(text);
        answered.resolve();
      }
      expect(heard).toEqual(["A", "B", "C"]);
    });

    test("many calls at once, answered in another order", async () => {
      const gates = Array.from({ length: 50 }, () => deferred());
      const waiter = await client({
        async echo({ text }) {
          await gates[Number(text)]?.promise;
          return { text };
        },
      });
      const answers = gates.map((_, index) => waiter.echo({ text: String(index) }));
      for (const gate of [...gates].reverse()) gate.resolve();
      expect((await Promise.all(answers)).map(({ text }) => text)).toEqual(gates.map((_, index) => String(index)));
    });

    test("a request is a copy: what the handler changes, the caller does not see", async () => {
      const request = { everything: { names: ["kept"] } };
      const changer = await client({
        echo(received) {
          received.everything?.names.push("added");
          return { everything: received.everything };
        },
      });
      expect((await changer.echo(request)).everything?.names).toEqual(["kept", "added"]);
      expect(request.everything.names).toEqual(["kept"]);
    });
  });

  describe("failures", () => {
    test("an error of the library arrives with code, message and details, and goes unreported", async () => {
      const reported: unknown[] = [];
      const value = FailDetail.encode(FailDetail.fromPartial({ text: "why" })).finish();
      const details = [{ typeUrl: "type.googleapis.com/anyplug.test.v1.FailDetail", value }];
      const failing = await client(
        {
          fail() {
            throw error(Code.Aborted, "no luck", { details, metadata: [["k", "v"]] });
          },
        },
        { onError: (thrown) => reported.push(thrown) },
      );
      const failure = await failureOf(failing.fail({}));
      expect(failure).toMatchObject({ code: Code.Aborted, message: "no luck", metadata: [["k", "v"]] });
      expect(FailDetail.decode(failure.details[0]?.value ?? new Uint8Array()).text).toBe("why");
      expect(reported).toEqual([]);
    });

    test("any other error is UNKNOWN with its message; stack and cause stay where they are", async () => {
      const reported: unknown[] = [];
      const thrown = new TypeError("x is not a thing");
      const failing = await client(
        { fail: () => Promise.reject(thrown), count: () => Promise.reject(thrown) as never },
        { onError: (reason) => reported.push(reason) },
      );
      for (const promise of [failing.fail({}), collect(failing.count({}))]) {
        const failure = await failureOf(promise);
        expect(failure).toMatchObject({ code: Code.Unknown, message: "x is not a thing", details: [] });
        expect(JSON.stringify(failure)).not.toContain("behaviours");
        expect((failure as { cause?: unknown }).cause).toBeUndefined();
      }
      expect(reported).toEqual([thrown, thrown]);
    });

    test("what is thrown need not be an error", async () => {
      const failing = await client(
        {
          fail() {
            throw "plain text";
          },
        },
        { onError: () => {} },
      );
      expect(await failureOf(failing.fail({}))).toMatchObject({ code: Code.Unknown, message: "plain text" });
    });

    test("a stream that fails half-way gives its messages first", async () => {
      const failing = await client({
        async *count() {
          yield { index: 0 };
          throw error(Code.DataLoss, "torn");
        },
      });
      const got: CountResponse[] = [];
      const failure = await failureOf(
        (async () => {
          for await (const message of failing.count({})) got.push(message);
        })(),
      );
      expect(failure).toMatchObject({ code: Code.DataLoss, message: "torn" });
      expect(got.map(({ index }) => index)).toEqual([0]);
    });

    test("a missing function is UNIMPLEMENTED, a missing service too and says what there is", async () => {
      const link = await connect({ plugin: [serving(echo)] });
      expect(await failureOf(link.client(Test).fail({}))).toMatchObject({ code: Code.Unimplemented });
      const failure = await failureOf(link.client(Host).ask({}));
      expect(failure.code).toBe(Code.Unimplemented);
      expect(failure.message).toContain("anyplug.test.v1.HostService");
      expect(failure.message).toContain("it serves anyplug.test.v1.TestService");
    });

    test("a handler that gives no message, or no stream, is INTERNAL", async () => {
      const broken = await client({
        echo: () => undefined as never,
        count: () => ({}) as never,
        sum: async () => null as never,
      });
      for (const promise of [broken.echo({}), collect(broken.count({})), broken.sum([] as never)]) {
        const failure = await failureOf(promise);
        expect(failure.code).toBe(Code.Internal);
        expect(failure.message).toContain("anyplug.test.v1.TestService/");
      }
    });

    test("a request that its schema cannot hold never leaves", async () => {
      const called: unknown[] = [];
      const counter = await client({
        count(request) {
          called.push(request);
          return [];
        },
      });
      // Over a transport of objects nothing is encoded, and the handler sees what was given.
      const failure = await collect(counter.count({ count: -1 })).catch((reason: Failure) => reason);
      if (!Array.isArray(failure)) expect(failure.code).toBe(Code.InvalidArgument);
      expect(called.length).toBe(Array.isArray(failure) ? 1 : 0);
    });
  });

  describe("metadata", () => {
    test("goes both ways, in order, keys more than once", async () => {
      let seen: Metadata = [];
      const service = await client({
        echo(_, context) {
          seen = context.metadata;
          context.appendHeader("h", "1");
          context.appendHeader("h", "2");
          context.appendTrailer("t", "größer 漢 😀");
          return { text: "ok" };
        },
      });
      const received: Record<string, Metadata> = {};
      const options = {
        metadata: [
          ["k", "1"],
          ["k", "2"],
          ["a-b.c_d", "x"],
        ] as const,
        onHeader: (metadata: Metadata) => {
          received["header"] = metadata;
        },
        onTrailer: (metadata: Metadata) => {
          received["trailer"] = metadata;
        },
      };
      expect((await service.echo({}, options)).text).toBe("ok");
      expect(seen).toEqual(options.metadata);
      expect(received).toEqual({
        header: [
          ["h", "1"],
          ["h", "2"],
        ],
        trailer: [["t", "größer 漢 😀"]],
      });
      await service.echo({}, { metadata: { user: "ada" } });
      expect(seen).toEqual([["user", "ada"]]);
    });

    test("of a stream: header before the first message, trailer at the end", async () => {
      const order: string[] = [];
      const service = await client({
        async *count(_, context) {
          context.appendHeader("h", "1");
          yield { index: 0 };
          yield { index: 1 };
          context.appendTrailer("t", "2");
        },
      });
      const options = {
        onHeader: (metadata: Metadata) => order.push(`header ${metadata.join()}`),
        onTrailer: (metadata: Metadata) => order.push(`trailer ${metadata.join()}`),
      };
      for await (const { index } of service.count({}, options)) order.push(`message ${index}`);
      expect(order).toEqual(["header h,1", "message 0", "message 1", "trailer t,2"]);
    });

    test("comes with a failure too", async () => {
      const service = await client({
        fail(_, context) {
          context.appendHeader("h", "1");
          context.appendTrailer("t", "2");
          throw error(Code.NotFound, "gone");
        },
      });
      let trailer: Metadata = [];
      const options = {
        onTrailer: (metadata: Metadata) => {
          trailer = metadata;
        },
      };
      const failure = await failureOf(service.fail({}, options));
      expect(failure.metadata).toEqual([
        ["h", "1"],
        ["t", "2"],
      ]);
      expect(trailer).toEqual(failure.metadata);
    });

    test("a bad key is refused, at both sides; a late header too", async () => {
      const messages: string[] = [];
      const service = await client({
        async *count(_, context) {
          for (const attempt of [() => context.appendHeader("Bad", "x"), () => context.appendTrailer("ä", "x")]) {
            try {
              attempt();
            } catch (reason) {
              messages.push((reason as Error).message);
            }
          }
          yield { index: 0 };
          context.appendHeader("late", "x");
        },
      });
      expect(await failureOf(service.echo({}, { metadata: { "Upper Case": "x" } }))).toMatchObject({
        code: Code.InvalidArgument,
      });
      expect(await failureOf(collect(service.count({})))).toMatchObject({ code: Code.FailedPrecondition });
      expect(messages).toEqual([expect.stringContaining('"Bad"'), expect.stringContaining('"ä"')]);
    });

    test("what a callback throws fails its call and nothing else", async () => {
      const service = await client({
        echo(_, context) {
          context.appendHeader("h", "1");
          return { text: "ok" };
        },
      });
      const onHeader = () => {
        throw new Error("in the callback");
      };
      expect(await failureOf(service.echo({}, { onHeader }))).toMatchObject({ message: "in the callback" });
      expect((await service.echo({})).text).toBe("ok");
    });
  });

  describe("deadlines", () => {
    test("end the call at both sides", async () => {
      const cancelled = deferred<Failure>();
      let begun = 0;
      const service = await client({
        async wait(_, context) {
          begun += 1;
          cancelled.resolve(await cancellationOf(context));
          return {};
        },
      });
      // On a busy machine the time may be over before the handler begins: then there is more of it.
      for (let timeoutMs = 10; begun === 0; timeoutMs *= 2) {
        const failure = await failureOf(service.wait({}, { timeoutMs }));
        const message = `the call took longer than its ${timeoutMs} ms`;
        expect(failure).toMatchObject({ code: Code.DeadlineExceeded, message });
      }
      expect((await cancelled.promise).code).toBe(Code.DeadlineExceeded);
    });

    test("end a stream in the middle", async () => {
      const service = await client({
        async *count(_, context) {
          yield { index: 0 };
          await cancellationOf(context);
        },
      });
      // On a busy machine the time may be over before the first message comes: then there is more of it.
      for (let timeoutMs = 20, first = 0; first === 0; timeoutMs *= 2) {
        const reading = async () => {
          for await (const _ of service.count({}, { timeoutMs })) first += 1;
        };
        expect(await failureOf(reading())).toMatchObject({ code: Code.DeadlineExceeded });
      }
    });

    test("come from the schema unless the caller says otherwise", async () => {
      const remaining: (number | undefined)[] = [];
      const service = await client({
        wait(_, context) {
          remaining.push(context.remainingMs);
          return {};
        },
        echo(_, context) {
          remaining.push(context.remainingMs);
          return {};
        },
      });
      await service.wait({});
      await service.wait({}, { timeoutMs: 5000 });
      await service.wait({}, { timeoutMs: Number.POSITIVE_INFINITY });
      await service.echo({});
      const [ofSchema = 0, ofCaller = 0, none, noneOfSchema] = remaining;
      expect(ofSchema).toBeGreaterThan(5000);
      expect(ofSchema).toBeLessThanOrEqual(60_000);
      expect(ofCaller).toBeGreaterThan(0);
      expect(ofCaller).toBeLessThanOrEqual(5000);
      expect([none, noneOfSchema]).toEqual([undefined, undefined]);
    });

    test("that have passed, or make no sense, are refused before the handler hears of the call", async () => {
      const called: unknown[] = [];
      const service = await client({
        echo(request) {
          called.push(request);
          return {};
        },
      });
      expect(await failureOf(service.echo({}, { timeoutMs: 0 }))).toMatchObject({ code: Code.DeadlineExceeded });
      expect(await failureOf(service.echo({}, { timeoutMs: -1 }))).toMatchObject({ code: Code.DeadlineExceeded });
      expect(await failureOf(service.echo({}, { timeoutMs: Number.NaN }))).toMatchObject({
        code: Code.InvalidArgument,
      });
      expect(called).toEqual([]);
    });
  });

  describe("cancellation", () => {
    test("by a signal reaches the handler, with its reason", async () => {
      const started = deferred();
      const cancelled = deferred<Failure>();
      const service = await client({
        async wait(_, context) {
          started.resolve();
          cancelled.resolve(await cancellationOf(context));
          expect(() => context.check()).toThrow();
          throw error(Code.Internal, "nobody hears this");
        },
      });
      const controller = new AbortController();
      const call = failureOf(service.wait({}, { signal: controller.signal }));
      await started.promise;
      controller.abort(new Error("bored"));
      expect(await call).toMatchObject({ code: Code.Cancelled, message: "bored" });
      expect(await cancelled.promise).toMatchObject({ code: Code.Cancelled, message: "bored" });
    });

    test("by a signal that was aborted before is no call at all; after the end it means nothing", async () => {
      let calls = 0;
      const service = await client({
        echo() {
          calls += 1;
          return {};
        },
      });
      const controller = new AbortController();
      await service.echo({}, { signal: controller.signal });
      controller.abort();
      expect(await failureOf(service.echo({}, { signal: controller.signal }))).toMatchObject({ code: Code.Cancelled });
      expect(calls).toBe(1);
    });

    test("by leaving the loop runs the finally of the handler's generator", async () => {
      const left = deferred<string>();
      const service = await client({
        async *count(_, context) {
          try {
            for (let index = 0; ; index++) yield { index };
          } finally {
            left.resolve(String(context.cancellation?.code));
          }
        },
      });
      for await (const { index } of service.count({})) if (index === 3) break;
      expect(await left.promise).toBe(String(Code.Cancelled));
    });

    test("of a stream that waits for its next message", async () => {
      const cancelled = deferred<Failure>();
      const service = await client({
        async *count(_, context) {
          yield { index: 0 };
          cancelled.resolve(await cancellationOf(context));
        },
      });
      const controller = new AbortController();
      const stream = service.count({}, { signal: controller.signal })[Symbol.asyncIterator]();
      await stream.next();
      const waiting = failureOf(stream.next());
      controller.abort();
      expect(await waiting).toMatchObject({ code: Code.Cancelled });
      expect((await cancelled.promise).code).toBe(Code.Cancelled);
      expect(await stream.next()).toEqual({ done: true, value: undefined });
    });

    test("is thrown by the stream of requests that a handler reads", async () => {
      const thrown = deferred<Failure>();
      const service = await client({
        async sum(requests) {
          try {
            for await (const _ of requests);
          } catch (reason) {
            thrown.resolve(reason as Failure);
          }
          return {};
        },
      });
      const controller = new AbortController();
      const started = deferred();
      async function* endless() {
        yield { number: 1n };
        started.resolve();
        await new Promise(() => {});
      }
      const call = failureOf(service.sum(endless(), { signal: controller.signal }));
      await started.promise;
      controller.abort();
      expect(await call).toMatchObject({ code: Code.Cancelled });
      expect((await thrown.promise).code).toBe(Code.Cancelled);
    });

    test("a stream that is never read is no call, and can be left", async () => {
      let calls = 0;
      const service = await client({
        count() {
          calls += 1;
          return [];
        },
      });
      const stream = service.count({})[Symbol.asyncIterator]();
      expect(await stream.return?.()).toEqual({ done: true, value: undefined });
      expect(await stream.next()).toEqual({ done: true, value: undefined });
      expect(calls).toBe(0);
    });
  });

  describe("streams of requests", () => {
    test("end when the handler answers early, and the caller's generator is left", async () => {
      const left = deferred();
      const service = await client({
        async sum(requests) {
          for await (const { number } of requests) if (number === 2n) return { sum: 42n };
          return {};
        },
      });
      async function* endless() {
        try {
          for (let number = 0n; ; number++) yield { number };
        } finally {
          left.resolve();
        }
      }
      expect((await service.sum(endless())).sum).toBe(42n);
      await left.promise;
    });

    test("that fail fail the call; the handler sees a cancellation", async () => {
      const seen = deferred<Failure>();
      const service = await client({
        async sum(requests, context) {
          try {
            for await (const _ of requests);
          } catch {
            seen.resolve(context.cancellation as Failure);
          }
          return {};
        },
      });
      async function* broken() {
        yield { number: 1n };
        throw new RangeError("out of numbers");
      }
      expect(await failureOf(service.sum(broken()))).toMatchObject({ code: Code.Unknown, message: "out of numbers" });
      expect(await seen.promise).toMatchObject({ code: Code.Cancelled, message: "the caller failed: out of numbers" });
    });
  });

  describe("calls within calls", () => {
    const asking: Partial<TestHandler> = {
      async askHost({ question, depth }, context) {
        return context.client(Host).ask({ question, depth });
      },
    };

    test("go back and forth", async () => {
      const answering = hosting({
        async ask({ question, depth }, context) {
          if (depth === 0) return { answer: `${question}!` };
          return context.client(Test).askHost({ question: `${question}${depth}`, depth: depth - 1 });
        },
      });
      const service = await client(asking, { host: [answering] });
      expect((await service.askHost({ question: "q", depth: 3 })).answer).toBe("q321!");
    });

    test("carry origin, trace, and the time that is left", async () => {
      let context: HandlerContext | undefined;
      const host = hosting({
        ask(_, seen) {
          context = seen;
          return {};
        },
      });
      const service = await client(asking, { host: [host] });
      await service.askHost({}, { timeoutMs: 5000, traceparent: "00-1-2-01", tracestate: "a=1" });
      expect(context?.origin).toEqual(["test-host"]);
      expect(context?.peer.name).toBe("test-plugin");
      expect([context?.traceparent, context?.tracestate]).toEqual(["00-1-2-01", "a=1"]);
      expect(context?.remainingMs).toBeLessThanOrEqual(5000);
    });

    test("are cancelled with the call that they are within", async () => {
      const started = deferred();
      const cancelled = deferred<Failure>();
      const host = hosting({
        async ask(_, context) {
          started.resolve();
          cancelled.resolve(await cancellationOf(context));
          return {};
        },
      });
      const service = await client(asking, { host: [host] });
      const controller = new AbortController();
      const call = failureOf(service.askHost({}, { signal: controller.signal }));
      await started.promise;
      controller.abort(new Error("enough"));
      expect(await call).toMatchObject({ code: Code.Cancelled });
      expect(await cancelled.promise).toMatchObject({ code: Code.Cancelled, message: "enough" });
    });

    test("that answer each other without end come to one", async () => {
      let calls = 0;
      const host = hosting({
        async ask({ question }, context) {
          calls += 1;
          return context.client(Test).askHost({ question });
        },
      });
      const service = await client(asking, { host: [host] });
      const failure = await failureOf(service.askHost({ question: "why?" }));
      expect(failure.code).toBe(Code.FailedPrecondition);
      expect(failure.message).toContain("over the limit of 16");
      expect(calls).toBe(8);
    });

    test("to another plugin belong to the call too", async () => {
      let origin: readonly string[] = [];
      const other = await connect({
        plugin: [
          serving({
            echo(_, context) {
              origin = context.origin;
              return { text: "from the other" };
            },
          }),
        ],
      });
      const host = hosting({
        async ask(_, within) {
          const { text } = await other.client(Test).echo({}, { within });
          return { answer: text };
        },
      });
      const service = await client(asking, { host: [host] });
      expect((await service.askHost({})).answer).toBe("from the other");
      expect(origin).toEqual(["test-host", "test-plugin"]);
    });
  });

  describe("capabilities", () => {
    const revealing: Implementation = { service: Secret, handler: { reveal: () => ({ value: "42" }) } };
    const asking: Partial<TestHandler> = {
      async askHost(_, context) {
        return { answer: (await context.client(Secret).reveal({})).value };
      },
    };

    test("that were not granted are refused by name, with where to grant them", async () => {
      const service = await client(asking, { host: [revealing] });
      const failure = await failureOf(service.askHost({}));
      expect(failure.code).toBe(Code.PermissionDenied);
      for (const text of ["SecretService/Reveal", '"test.secret"', "grants", "plugin.json"]) {
        expect(failure.message).toContain(text);
      }
    });

    test("that were granted open the door", async () => {
      const service = await client(asking, { host: [revealing], grants: ["test.secret"] });
      expect((await service.askHost({})).answer).toBe("42");
    });
  });

  describe("the link", () => {
    test("knows its peer, and hands the configuration to handlers", async () => {
      let config: unknown;
      const link = await connect({
        config: { answer: 42 },
        plugin: [
          serving({
            echo(_, context) {
              config = context.config;
              return {};
            },
          }),
        ],
      });
      expect(await link.opened).toMatchObject({ name: "test-plugin", version: "1.0.0" });
      await link.client(Test).echo({});
      expect(config).toEqual({ answer: 42 });
    });

    test("takes the records of a plugin's handlers into the host's log, and those of the host's own", async () => {
      const records: LogRecord[] = [];
      const host = hosting({
        ask(_, context) {
          context.log("debug", "at the host");
          return {};
        },
      });
      const service = await client(
        {
          async askHost(_, context) {
            context.log("warn", "at the plugin", { k: "v" });
            await context.client(Host).ask({});
            return {};
          },
        },
        { host: [host], onLog: (record) => records.push(record) },
      );
      await service.askHost({});
      expect(records).toMatchObject([
        { level: "warn", message: "at the plugin", logger: "anyplug.test.v1.TestService", fields: { k: "v" } },
        { level: "debug", message: "at the host", logger: "anyplug.test.v1.HostService" },
      ]);
    });

    test("drains: calls in flight go on, new ones are refused", async () => {
      const started = deferred();
      const gate = deferred();
      const link = await connect({
        plugin: [
          serving({
            async echo() {
              started.resolve();
              await gate.promise;
              return { text: "done" };
            },
          }),
        ],
      });
      const call = link.client(Test).echo({});
      await started.promise;
      let isDrained = false;
      const drained = link.drain().then(() => {
        isDrained = true;
      });
      const failure = await failureOf(link.client(Test).echo({}));
      expect(failure).toMatchObject({ code: Code.Unavailable });
      expect(failure.message).toContain("draining");
      expect(isDrained).toBe(false);
      gate.resolve();
      expect((await call).text).toBe("done");
      await drained;
    });

    test("that closes ends calls in flight, with the reason, at both sides", async () => {
      const started = deferred();
      const cancelled = deferred<Failure>();
      const link = await connect({
        plugin: [
          serving({
            async wait(_, context) {
              started.resolve();
              cancelled.resolve(await cancellationOf(context));
              return {};
            },
            async *count(_, context) {
              yield { index: 0 };
              await cancellationOf(context);
            },
          }),
        ],
      });
      const service = link.client(Test);
      const stream = service.count({})[Symbol.asyncIterator]();
      await stream.next();
      const calls = [service.wait({}), stream.next()].map(failureOf);
      await started.promise;
      link.close(error(Code.Aborted, "the user has had enough") as never);
      for (const failure of await Promise.all(calls)) {
        expect(failure.code).toBe(Code.Unavailable);
        expect(failure.message).toContain("the user has had enough");
      }
      expect((await cancelled.promise).code).toBe(Code.Unavailable);
      expect(await link.closed).toMatchObject({ code: Code.Aborted, message: "the user has had enough" });
      expect(await failureOf(service.echo({}))).toMatchObject({ code: Code.Unavailable });
      link.close();
    });

    test("can be closed twice, and drained when it is closed", async () => {
      const link = await connect({ plugin: [serving(echo)] });
      link.close();
      link.close();
      await link.drain();
      expect(await link.closed).toMatchObject({ code: Code.Unavailable });
    });
  });

  test("what is received can be kept: it changes no more", async () => {
    const kept: EchoResponse[] = [];
    const service = await client(echo);
    for (let round = 0; round < 20; round++) kept.push(await service.echo({ data: new Uint8Array(1000).fill(round) }));
    expect(kept.map(({ data }) => [data.length, data[0], data[999]])).toEqual(
      kept.map((_, round) => [1000, round, round]),
    );
  });
}
