/** What a side accepts. */

import { Code } from "@anyplug/core";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { expect } from "@jest/globals";
import { type Behaviour, collect, failure } from "./behaviour.js";

export const limits = {
  async a_message_over_the_limit_is_refused(cell) {
    await using plugin = await cell.load({ limits: { maxMessageBytes: 100_000 } });
    const client = plugin.client(Test);
    await failure(client.echo({ data: new Uint8Array(100_001) }), Code.ResourceExhausted, "100000");
    // The plugin takes over the limits of its host.
    await failure(collect(client.count({ count: 1, size: 100_001 })), Code.ResourceExhausted, "100000");
    await failure(client.sum([{ data: new Uint8Array(100_001) }]), Code.ResourceExhausted, "100000");
    expect((await client.echo({ data: new Uint8Array(90_000) })).data.length).toBe(90_000);
  },

  async sixteen_mebibytes_pass_under_a_raised_limit(cell) {
    const size = 16 << 20;
    await using plugin = await cell.load({ limits: { maxMessageBytes: size + 64 } });
    const client = plugin.client(Test);
    const data = Buffer.alloc(size, "sixteen mebibytes");
    expect(data.equals((await client.echo({ data })).data)).toBe(true);
    const counted = await collect(client.count({ count: 2, size }));
    expect(counted.map(({ index, data }) => [index, data.length])).toEqual([
      [0, size],
      [1, size],
    ]);
  },

  async pending_calls_are_limited(cell) {
    await using plugin = await cell.load({ limits: { maxPendingRequests: 10 } });
    const client = plugin.client(Test);
    await client.echo({});
    const controllers = Array.from({ length: 10 }, () => new AbortController());
    const waits = controllers.map(({ signal }) => client.wait({ ms: 60_000 }, { signal }));
    const cancelled = waits.map((wait) => failure(wait, Code.Cancelled));
    await failure(client.echo({}), Code.ResourceExhausted, "10");
    controllers.pop()?.abort();
    await cancelled.pop();
    expect((await client.echo({ text: "room again" })).text).toBe("room again");
    for (const controller of controllers) controller.abort();
    await Promise.all(cancelled);
  },
} satisfies Record<string, Behaviour>;
