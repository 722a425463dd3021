/** Flow control and limits: what a slow reader, a slow channel and a large message do. */

import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { describe, expect, test } from "@jest/globals";
import { Code } from "../src/code.js";
import { collect, deferred, failureOf, serving } from "./behaviours.js";
import { connectInMemory } from "./pair.js";

/** Lets everything happen that needs nobody else: turns of the event loop, until one in which nothing was counted. */
async function settled(count: () => number): Promise<void> {
  for (let last = Number.NaN, quiet = 0; quiet < 3; ) {
    await new Promise((resolve) => setImmediate(resolve));
    quiet = last === count() ? quiet + 1 : 0;
    last = count();
  }
}

const kilobyte = new Uint8Array(1000);

describe("a slow reader", () => {
  test("of responses makes the sender wait: memory stays within the window", async () => {
    let sent = 0;
    const { host } = connectInMemory({
      plugin: [
        serving({
          *count({ count }) {
            for (let index = 0; index < count; index++) {
              sent += 1;
              yield { index, data: kilobyte };
            }
          },
        }),
      ],
    });
    const stream = host.client(Test).count({ count: 1000 })[Symbol.asyncIterator]();
    await stream.next();
    await settled(() => sent);
    expect(sent).toBeLessThan(70);
    expect(host.bufferedBytes).toBeLessThanOrEqual(65_536 + 1100);
    let index = 0;
    let peak = 0;
    for (let next = await stream.next(); next.done !== true; next = await stream.next()) {
      index += 1;
      expect(next.value.index).toBe(index);
      peak = Math.max(peak, host.bufferedBytes);
    }
    expect(index).toBe(999);
    expect(peak).toBeLessThanOrEqual(65_536 + 1100);
    expect(host.bufferedBytes).toBe(0);
  });

  test("of requests makes the caller wait", async () => {
    const gate = deferred();
    let sent = 0;
    const { host, plugin } = connectInMemory({
      plugin: [
        serving({
          async sum(requests) {
            await gate.promise;
            let count = 0;
            for await (const _ of requests) count += 1;
            return { count };
          },
        }),
      ],
    });
    function* requests() {
      for (; sent < 1000; sent++) yield { data: kilobyte };
    }
    const call = host.client(Test).sum(requests() as unknown as AsyncIterable<object>);
    await settled(() => sent);
    expect(sent).toBeLessThan(70);
    expect(plugin.bufferedBytes).toBeLessThanOrEqual(65_536 + 1100);
    gate.resolve();
    expect((await call).count).toBe(1000);
  });

  test("that leaves after the last message came holds nothing of it any longer", async () => {
    const { host } = connectInMemory({
      plugin: [
        serving({
          *count({ count }) {
            for (let index = 0; index < count; index++) yield { index, data: kilobyte };
          },
        }),
      ],
    });
    const stream = host.client(Test).count({ count: 20 })[Symbol.asyncIterator]();
    await stream.next();
    await settled(() => host.bufferedBytes);
    expect(host.openCalls).toBe(0);
    expect(host.bufferedBytes).toBeGreaterThan(19_000);
    await stream.return?.();
    expect(host.bufferedBytes).toBe(0);
  });

  test("has the window that it announced; a message larger than the window passes alone", async () => {
    let sent = 0;
    const { host } = connectInMemory(
      {
        plugin: [
          serving({
            *count() {
              for (; sent < 20; sent++) yield { data: kilobyte };
            },
          }),
        ],
      },
      { hostLimits: { initialCreditBytes: 100 } },
    );
    const stream = host.client(Test).count({})[Symbol.asyncIterator]();
    await stream.next();
    await settled(() => sent);
    expect(sent).toBeLessThanOrEqual(3);
    expect((await collect({ [Symbol.asyncIterator]: () => stream })).length).toBe(19);
  });

  test("of many streams at once loses the stream that goes over the buffer, and no other", async () => {
    const { host } = connectInMemory(
      {
        plugin: [
          serving({
            *count({ count }) {
              for (let index = 0; index < count; index++) yield { index, data: kilobyte };
            },
          }),
        ],
      },
      { hostLimits: { maxBufferBytes: 100_000 } },
    );
    const client = host.client(Test);
    const one = client.count({ count: 60 })[Symbol.asyncIterator]();
    const other = client.count({ count: 60 })[Symbol.asyncIterator]();
    const read = (stream: AsyncIterator<unknown>) => collect({ [Symbol.asyncIterator]: () => stream });
    await one.next();
    await settled(() => host.bufferedBytes);
    await other.next();
    await settled(() => host.bufferedBytes);
    const failure = await failureOf(read(other));
    expect(failure.code).toBe(Code.ResourceExhausted);
    expect(failure.message).toContain("limit of 100000 bytes");
    expect((await read(one)).length).toBe(59);
  });
});

describe("a channel that has enough", () => {
  test("makes streams wait, and answers; nothing is lost and memory stays bounded", async () => {
    const { host, plugin, channels } = connectInMemory(
      {
        plugin: [
          serving({
            echo: ({ text }) => ({ text, data: new Uint8Array(20_000) }),
            *count({ count }) {
              for (let index = 0; index < count; index++) yield { index, data: kilobyte };
            },
          }),
        ],
      },
      { pluginLimits: { maxBufferBytes: 50_000 }, highWaterBytes: 30_000 },
    );
    const client = host.client(Test);
    await client.echo({});
    channels[1].pause();
    const answers = Array.from({ length: 40 }, (_, index) => client.echo({ text: String(index) }));
    const stream = collect(client.count({ count: 100 }));
    await settled(() => plugin.bufferedBytes + channels[1].inFlightBytes);
    expect(plugin.bufferedBytes).toBeLessThanOrEqual(50_000 + 21_000);
    channels[1].resume();
    expect((await Promise.all(answers)).map(({ text }) => text)).toEqual(answers.map((_, index) => String(index)));
    expect((await stream).map(({ index }) => index)).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  test("refuses unary calls beyond the buffer at once", async () => {
    const { host, channels } = connectInMemory(
      { plugin: [serving({ echo: () => ({}) })] },
      { hostLimits: { maxBufferBytes: 200_000 }, highWaterBytes: 10_000 },
    );
    const client = host.client(Test);
    await client.echo({});
    channels[0].pause();
    const data = new Uint8Array(70_000);
    const results = Array.from({ length: 8 }, () =>
      client.echo({ data }).then(
        () => 0,
        ({ code }) => code,
      ),
    );
    await settled(() => channels[0].inFlightBytes);
    channels[0].resume();
    const codes = await Promise.all(results);
    expect(codes.slice(0, 3)).toEqual([0, 0, 0]);
    expect(codes.at(-1)).toBe(Code.ResourceExhausted);
    expect((await client.echo({})).text).toBe("");
  });

  test("does not keep a call from ending: deadline and cancellation need no room", async () => {
    const { host, channels } = connectInMemory({ plugin: [serving({ echo: () => ({}) })] }, { highWaterBytes: 1 });
    const client = host.client(Test);
    await client.echo({});
    channels[0].pause();
    expect(await failureOf(client.echo({}, { timeoutMs: 5 }))).toMatchObject({ code: Code.DeadlineExceeded });
    channels[0].resume();
    await client.echo({});
  });
});

describe("messages", () => {
  test("over the limit fail their call and nothing else, in both directions", async () => {
    const { host } = connectInMemory(
      { plugin: [serving({ echo: ({ text }) => ({ data: new Uint8Array(Number(text)) }) })] },
      { hostLimits: { maxMessageBytes: 10_000 } },
    );
    const client = host.client(Test);
    for (const promise of [client.echo({ data: new Uint8Array(10_001) }), client.echo({ text: "10001" })]) {
      const failure = await failureOf(promise);
      expect(failure.code).toBe(Code.ResourceExhausted);
      expect(failure.message).toContain("over the limit of 10000 bytes");
    }
    expect((await client.echo({ text: "9000" })).data.length).toBe(9000);
  });

  test("over the limit in a stream end the stream at both sides", async () => {
    const left = deferred();
    const { host } = connectInMemory(
      {
        plugin: [
          serving({
            *count() {
              try {
                yield { data: new Uint8Array(10) };
                yield { data: new Uint8Array(10_001) };
              } finally {
                left.resolve();
              }
            },
            async sum(requests) {
              for await (const _ of requests);
              return {};
            },
          }),
        ],
      },
      { hostLimits: { maxMessageBytes: 10_000 } },
    );
    const client = host.client(Test);
    expect(await failureOf(collect(client.count({})))).toMatchObject({ code: Code.ResourceExhausted });
    await left.promise;
    const requests = [{ data: new Uint8Array(10_001) }] as unknown as AsyncIterable<object>;
    expect(await failureOf(client.sum(requests))).toMatchObject({ code: Code.ResourceExhausted });
  });

  test("of 16 MiB pass under a raised limit, which the plugin adopts", async () => {
    const { host, plugin } = connectInMemory(
      { plugin: [serving({ echo: ({ data }) => ({ data }) })] },
      { hostLimits: { maxMessageBytes: 17_000_000 } },
    );
    const data = Uint8Array.from({ length: 16_777_216 }, (_, index) => index % 253);
    const answer = await host.client(Test).echo({ data });
    expect(Buffer.compare(answer.data, data)).toBe(0);
    expect(plugin.limits.maxMessageBytes).toBe(17_000_000);
  });

  test("metadata without end is refused before it is sent", async () => {
    const { host } = connectInMemory({ plugin: [serving({ echo: () => ({}) })] });
    const failure = await failureOf(host.client(Test).echo({}, { metadata: { k: "x".repeat(70_000) } }));
    expect(failure).toMatchObject({ code: Code.ResourceExhausted });
    expect(failure.message).toContain("call header");
  });

  test("metadata without end in an answer fails its call", async () => {
    const { host } = connectInMemory({
      plugin: [
        serving({
          echo(_, context) {
            context.appendHeader("k", "x".repeat(70_000));
            return {};
          },
        }),
      ],
    });
    expect(await failureOf(host.client(Test).echo({}))).toMatchObject({ code: Code.ResourceExhausted });
  });
});

describe("requests", () => {
  test("beyond what the peer takes at once are refused, and there is room again when one ends", async () => {
    const gate = deferred();
    const { host } = connectInMemory(
      {
        plugin: [
          serving({
            async echo() {
              await gate.promise;
              return {};
            },
          }),
        ],
      },
      { pluginLimits: { maxPendingRequests: 2 } },
    );
    const client = host.client(Test);
    await host.negotiate(Test);
    const calls = [client.echo({}), client.echo({})];
    const failure = await failureOf(client.echo({}));
    expect(failure).toMatchObject({ code: Code.ResourceExhausted });
    expect(failure.message).toContain("there are 2 requests");
    gate.resolve();
    await Promise.all(calls);
    await client.echo({});
  });

  test("that have ended are forgotten", async () => {
    const { host, plugin } = connectInMemory({
      plugin: [serving({ echo: () => ({}), count: () => [{ index: 1 }] })],
    });
    const client = host.client(Test);
    for (let round = 0; round < 50; round++) {
      await client.echo({}, { timeoutMs: 60_000 });
      for await (const _ of client.count({})) break;
    }
    await host.ping();
    expect([host.openCalls, plugin.openCalls]).toEqual([0, 0]);
  });
});

describe("many calls at once", () => {
  test("are on their way before the last of them is made, and few of them go out together", async () => {
    const { host, channels } = connectInMemory({ plugin: [serving({ echo: ({ text }) => ({ text }) })] });
    const client = host.client(Test);
    await client.echo({});
    const make = (count: number) => Array.from({ length: count }, (_, index) => client.echo({ text: String(index) }));
    const few = make(10);
    expect(channels[0].inFlightBytes).toBe(0);
    await Promise.all(few);
    const many = make(100);
    expect(channels[0].inFlightBytes).toBeGreaterThan(0);
    expect((await Promise.all(many)).map(({ text }) => Number(text))).toEqual([...Array(100).keys()]);
  });
});
