/** How calls fail, and what the caller is told. */

import { type CountResponse, FailDetail } from "@anyplug/generated/anyplug/test/v1/test.js";
import { Host, Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { describe, expect, test } from "@jest/globals";
import { Code } from "../../src/code.js";
import { collect, echo, type Failure, failureOf, serving, type Wired } from "./setup.js";

export function failures({ client, connect, error }: Wired): void {
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
}
