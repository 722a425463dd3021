/** How long a call may take. */

import { describe, expect, test } from "@jest/globals";
import { Code } from "../../src/code.js";
import { cancellationOf, deferred, type Failure, failureOf, type Wired } from "./setup.js";

export function deadlines({ client }: Wired): void {
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
      await service.wait({}, { timeoutMs: 30_000 });
      await service.wait({}, { timeoutMs: Number.POSITIVE_INFINITY });
      await service.echo({});
      const [ofSchema = 0, ofCaller = 0, none, noneOfSchema] = remaining;
      expect(ofSchema).toBeGreaterThan(30_000);
      expect(ofSchema).toBeLessThanOrEqual(60_000);
      expect(ofCaller).toBeGreaterThan(0);
      expect(ofCaller).toBeLessThanOrEqual(30_000);
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
}
