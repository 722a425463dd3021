/** How either side gives a call up. */

import { describe, expect, test } from "@jest/globals";
import { Code } from "../../src/code.js";
import { cancellationOf, deferred, type Failure, failureOf, type Wired } from "./setup.js";

export function cancellation({ client, error }: Wired): void {
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
}
