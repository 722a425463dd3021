/** What a plugin calls on its host, and what it may. */

import type { HandlerContext } from "@anyplug/core/codegen/v1";
import { Host, Secret, Test, type TestHandler } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { describe, expect, test } from "@jest/globals";
import { Code } from "../../src/code.js";
import type { Implementation } from "../../src/router.js";
import { cancellationOf, deferred, type Failure, failureOf, hosting, serving, type Wired } from "./setup.js";

export function callbacks({ client, connect }: Wired): void {
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
      await service.askHost({}, { timeoutMs: 60_000, traceparent: "00-1-2-01", tracestate: "a=1" });
      expect(context?.origin).toEqual(["test-host"]);
      expect(context?.peer.name).toBe("test-plugin");
      expect([context?.traceparent, context?.tracestate]).toEqual(["00-1-2-01", "a=1"]);
      expect(context?.remainingMs).toBeLessThanOrEqual(60_000);
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
}
