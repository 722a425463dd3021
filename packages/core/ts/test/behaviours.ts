/** What calls do, whatever carries them. Run over a connection here, over the direct transport in its own tests. */

import { Test, type TestClient, type TestHandler } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { afterAll, beforeAll, expect } from "@jest/globals";
import { callbacks } from "./behaviours/callbacks.js";
import { calls } from "./behaviours/calls.js";
import { cancellation } from "./behaviours/cancellation.js";
import { deadlines } from "./behaviours/deadlines.js";
import { failures } from "./behaviours/failures.js";
import { link } from "./behaviours/link.js";
import { metadata } from "./behaviours/metadata.js";
import { type Setup, serving, type Wiring } from "./behaviours/setup.js";

export * from "./behaviours/setup.js";

export function behaviours({ connect, error }: Wiring): void {
  const escaped: unknown[] = [];
  const note = (reason: unknown) => escaped.push(reason);
  beforeAll(() => {
    process.on("unhandledRejection", note);
  });
  afterAll(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", note);
    expect(escaped).toEqual([]);
  });

  async function client(handler: Partial<TestHandler>, setup: Setup = {}): Promise<TestClient> {
    const link = await connect({ ...setup, plugin: [serving(handler)] });
    // So that a short timeout is that of a call alone.
    await link.negotiate(Test);
    return link.client(Test);
  }

  for (const some of [calls, failures, metadata, deadlines, cancellation, callbacks, link])
    some({ client, connect, error });
}
