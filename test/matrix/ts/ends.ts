/** How calls end before their answer: deadlines, cancellation, closing. */

import { Code } from "@anyplug/core";
import { Test, type TestClient } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { expect } from "@jest/globals";
import { type Behaviour, failure } from "./behaviour.js";

export const ends = {
  async a_deadline_cancels_the_handler(cell) {
    const client = await cell.client();
    // The time may be over before the handler begins; then it is given more.
    let timeoutMs = 50;
    await untilCancelled(client, async () => {
      await failure(client.wait({ ms: 600_000 }, { timeoutMs }), Code.DeadlineExceeded);
      timeoutMs *= 2;
    });
  },

  async a_cancelled_call_cancels_the_handler(cell) {
    const client = await cell.client();
    await untilCancelled(client, async () => {
      const controller = new AbortController();
      const waiting = client.wait({ ms: 60_000 }, { signal: controller.signal });
      await client.echo({});
      controller.abort();
      await failure(waiting, Code.Cancelled);
    });
  },

  async close_waits_for_calls_in_flight(cell) {
    const plugin = await cell.load({ drainTimeoutMs: 120_000 });
    const client = plugin.client(Test);
    await client.echo({});
    const waiting = client.wait({ ms: 200 });
    const closing = plugin.close();
    await failure(
      client.echo({}),
      Code.Unavailable,
      'the connection to "test-plugin" is draining: it takes no new calls',
    );
    await waiting;
    await closing;
  },

  async closing_in_the_middle_of_everything_ends_it_all(cell) {
    const { asked, cancelled } = cell.host;
    const next = asked.count + 1;
    const plugin = await cell.loadWithServices({ drainTimeoutMs: 0 });
    const client = plugin.client(Test);
    const ends = [
      client.wait({ ms: 60_000 }),
      client.askHost({ question: "wait", depth: 2 }),
      client.sum(onceAndNeverAgain({ number: 1n })),
    ].map((call: Promise<unknown>) => failure(call, Code.Unavailable));
    const answers = client.converse(onceAndNeverAgain({ text: "first" }))[Symbol.asyncIterator]();
    const counted = client.count({ count: 1_000_000, delayMs: 1 })[Symbol.asyncIterator]();
    expect((await answers.next()).value?.text).toBe("first");
    expect((await counted.next()).value?.index).toBe(0);
    await asked.reaches(next);
    ends.push(failure(rest(answers), Code.Unavailable), failure(rest(counted), Code.Unavailable));
    await plugin.close();
    await Promise.all(ends);
    await cancelled.reaches(next);
    await using again = await cell.load();
    expect((await again.client(Test).echo({ text: "again" })).text).toBe("again");
  },

  async calls_after_close_are_unavailable(cell) {
    const plugin = await cell.load();
    const client = plugin.client(Test);
    await client.echo({});
    await plugin.close();
    const reason = 'the connection ended: plugin "test-plugin" was closed';
    await failure(client.echo({}), Code.Unavailable, reason);
    await failure(client.sum([]), Code.Unavailable, reason);
    const [stream] = [client.count({ count: 1 })[Symbol.asyncIterator]()];
    await failure(stream.next(), Code.Unavailable, reason);
    await plugin.close();
  },
} satisfies Record<string, Behaviour>;

/** A call may be over before its handler begins; then there is nothing to cancel, and it is made again. */
async function untilCancelled(client: TestClient, giveUp: () => Promise<void>): Promise<void> {
  const before = await client.waitReport({});
  for (let tries = 0; tries < 100; tries += 1) {
    await giveUp();
    // Answered only when no wait is open any more.
    const { cancelled, completed } = await client.waitReport({});
    expect(completed).toBe(before.completed);
    if (cancelled > before.cancelled) return;
  }
  throw new Error("no handler was cancelled");
}

/** A stream that is neither ended nor goes on. */
async function* onceAndNeverAgain<T>(message: T): AsyncIterable<T> {
  yield message;
  await new Promise<never>(() => {});
}

/** Reads a stream to its end. */
async function rest(stream: AsyncIterator<unknown>): Promise<void> {
  while (!(await stream.next()).done);
}
