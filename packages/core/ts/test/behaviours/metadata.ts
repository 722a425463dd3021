/** What goes before and after the messages. */

import { describe, expect, test } from "@jest/globals";
import { Code } from "../../src/code.js";
import type { Metadata } from "../../src/header.js";
import { collect, failureOf, type Wired } from "./setup.js";

export function metadata({ client, error }: Wired): void {
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
}
