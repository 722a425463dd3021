/** Streams, in each direction and in both. */

import { Code } from "@anyplug/core";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { expect } from "@jest/globals";
import { type Behaviour, collect, failure } from "./behaviour.js";

const indexes = (count: number) => Array.from({ length: count }, (_, index) => index);

export const streams = {
  async a_server_stream_comes_in_order(cell) {
    const client = await cell.client();
    const counted = await collect(client.count({ count: 300, size: 1000 }));
    expect(counted.map(({ index }) => index)).toEqual(indexes(300));
    expect(counted.every(({ data }) => data.length === 1000)).toBe(true);
    expect(await collect(client.count({ count: 0 }))).toEqual([]);
  },

  async a_client_stream_is_read_to_its_end(cell) {
    const client = await cell.client();
    const data = new Uint8Array(1000);
    const numbers = indexes(300).map((number) => ({ number: BigInt(number), data }));
    expect(await client.sum(numbers)).toMatchObject({ sum: 44_850n, count: 300 });
    expect(await client.sum([])).toMatchObject({ sum: 0n, count: 0 });
  },

  async a_bidi_stream_is_interleaved(cell) {
    const client = await cell.client();
    const answered = new Signal();
    let spoken = 0;
    async function* speak(): AsyncIterable<{ text: string }> {
      for (; spoken < 20; spoken += 1) {
        yield { text: `line ${spoken}` };
        // Deadlocks if an answer waits for the next request.
        await answered.next();
      }
    }
    let heard = 0;
    for await (const { text } of client.converse(speak())) {
      expect(text).toBe(`line ${heard}`);
      heard += 1;
      answered.give();
    }
    expect([spoken, heard]).toEqual([20, 20]);
  },

  async a_stream_that_fails_half_way_gives_what_came_before(cell) {
    const counted: number[] = [];
    const stream = (await cell.client()).count({ count: 3, fail: { code: Code.Aborted, message: "half-way" } });
    const reading = (async () => {
      for await (const { index } of stream) counted.push(index);
    })();
    await failure(reading, Code.Aborted, "half-way");
    expect(counted).toEqual([0, 1, 2]);
  },

  async leaving_a_stream_ends_it_in_the_plugin(cell) {
    // With two calls at once, the third would fail if one that was left were still open.
    await using plugin = await cell.load({ limits: { maxPendingRequests: 2 } });
    const client = plugin.client(Test);
    for (let left = 0; left < 5; left += 1) {
      for await (const { index } of client.count({ count: 1_000_000, size: 100 })) {
        if (index === 2) break;
      }
      expect((await client.echo({ text: "after it" })).text).toBe("after it");
    }
  },

  async a_slow_reader_holds_the_sender_back(cell) {
    // Without credit, five megabytes would come while the reader does something else, and end the call.
    await using plugin = await cell.load({ limits: { maxBufferBytes: 300_000 } });
    const client = plugin.client(Test);
    let read = 0;
    for await (const { index } of client.count({ count: 500, size: 10_000 })) {
      expect(index).toBe(read);
      read += 1;
      if (read % 100 === 1) for (const _ of indexes(20)) await client.echo({});
    }
    expect(read).toBe(500);
  },

  async a_slow_plugin_holds_the_host_back(cell) {
    const client = await cell.client();
    const data = new Uint8Array(10_000);
    let given = 0;
    async function* speak(): AsyncIterable<{ text: string; data: Uint8Array }> {
      for (; given < 300; given += 1) yield { text: `line ${given}`, data };
    }
    const answers = client.converse(speak())[Symbol.asyncIterator]();
    expect((await answers.next()).value?.text).toBe("line 0");
    // The plugin answers what it reads, and can send no more than a window of what is not read here.
    for (const _ of indexes(100)) await client.echo({});
    expect(given).toBeLessThan(100);
    for (const index of indexes(300).slice(1)) expect((await answers.next()).value?.text).toBe(`line ${index}`);
    expect((await answers.next()).done).toBe(true);
  },
} satisfies Record<string, Behaviour>;

/** Wakes who waits, or the next who will. */
class Signal {
  #given = 0;
  #wake: (() => void) | undefined;

  give(): void {
    this.#given += 1;
    this.#wake?.();
  }

  async next(): Promise<void> {
    while (this.#given === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#given -= 1;
  }
}
