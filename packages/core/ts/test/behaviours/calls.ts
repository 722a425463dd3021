/** How the four kinds of call answer. */

import type { EchoResponse } from "@anyplug/generated/anyplug/test/v1/test.js";
import type { TestHandler } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { describe, expect, test } from "@jest/globals";
import { collect, deferred, echo, type Wired } from "./setup.js";

export function calls({ client }: Wired): void {
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

  test("what is received can be kept: it changes no more", async () => {
    const kept: EchoResponse[] = [];
    const service = await client(echo);
    for (let round = 0; round < 20; round++) kept.push(await service.echo({ data: new Uint8Array(1000).fill(round) }));
    expect(kept.map(({ data }) => [data.length, data[0], data[999]])).toEqual(
      kept.map((_, round) => [1000, round, round]),
    );
  });
}
