/** How calls end before their answer: deadlines, cancellation, closing. */

import { Code } from "@anyplug/core";
import { Test, type TestClient } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { expect } from "@jest/globals";
import { type Behaviour, failure } from "./behaviour.js";

export const ends = {
  async a_deadline_cancels_the_handler(cell) {
    const client = await cell.client();
    await untilCancelled(client, async () => {
      await failure(client.wait({ ms: 60_000 }, { timeoutMs: 50 }), Code.DeadlineExceeded);
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
    const plugin = await cell.load();
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
