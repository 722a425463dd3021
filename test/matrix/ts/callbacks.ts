/** Calls from the plugin to the host. */

import { Code } from "@anyplug/core";
import { HarmRequest_Kind as Kind } from "@anyplug/generated/anyplug/test/v1/test.js";
import { Host, Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { Eliza } from "@anyplug/generated/eliza_classic/v1/eliza_anyplug.js";
import { expect } from "@jest/globals";
import { type Behaviour, failure } from "./behaviour.js";
import { withMethod } from "./schemas.js";

export const callbacks = {
  async a_plugin_calls_its_host_within_a_call(cell) {
    const client = await cell.client();
    expect((await client.askHost({ question: "why?" })).answer).toBe("why? answered");
    expect((await client.askHost({ question: "origin" })).answer).toBe("matrix");
  },

  async callbacks_nest(cell) {
    const client = await cell.client();
    expect((await client.askHost({ question: "deep", depth: 5 })).answer).toBe("deep answered");
    const origin = `${"matrix test-plugin ".repeat(5)}matrix`;
    expect((await client.askHost({ question: "origin", depth: 5 })).answer).toBe(origin);
  },

  async endless_callbacks_come_to_an_end(cell) {
    const client = await cell.client();
    await failure(client.askHost({ question: "deep", depth: 1000 }), Code.FailedPrecondition, "16");
  },

  async a_callback_has_the_time_of_its_call(cell) {
    const client = await cell.client();
    const { answer } = await client.askHost({ question: "remaining" }, { timeoutMs: 60_000 });
    expect(Number(answer)).toBeGreaterThan(0);
    expect(Number(answer)).toBeLessThanOrEqual(60_000);
    expect((await client.askHost({ question: "remaining" })).answer).toBe("no limit");
  },

  async a_deadline_crosses_every_hop(cell) {
    const { asked, cancelled } = cell.host;
    const client = await cell.client();
    const before = asked.count;
    // The time may be over before the question has come to the last host; then it is given more.
    for (let timeoutMs = 100; asked.count === before; timeoutMs *= 2) {
      await failure(client.askHost({ question: "wait", depth: 2 }, { timeoutMs }), Code.DeadlineExceeded);
    }
    await cancelled.reaches(asked.count);
  },

  async a_callback_is_cancelled_with_its_call(cell) {
    const { asked, cancelled } = cell.host;
    const client = await cell.client();
    const next = asked.count + 1;
    const controller = new AbortController();
    const asking = client.askHost({ question: "wait" }, { signal: controller.signal });
    await asked.reaches(next);
    controller.abort();
    await failure(asking, Code.Cancelled);
    await cancelled.reaches(next);
  },

  async a_plugin_gives_up_a_callback(cell) {
    const { asked, cancelled } = cell.host;
    const client = await cell.client();
    const next = asked.count + 1;
    const asking = failure(client.askHost({ question: "wait" }), Code.Cancelled);
    await asked.reaches(next);
    await client.harm({ kind: Kind.KIND_GIVE_UP });
    await asking;
    await cancelled.reaches(next);
    expect((await client.askHost({ question: "still there?" })).answer).toBe("still there? answered");
  },

  async a_capability_must_be_granted(cell) {
    const client = await cell.client();
    await failure(
      client.askHost({ reveal: true }),
      Code.PermissionDenied,
      '"test.secret"',
      "anyplug.test.v1.SecretService/Reveal",
    );
    await using granted = await cell.loadWithServices({ grants: ["test.secret"] });
    expect((await granted.client(Test).askHost({ reveal: true })).answer).toBe("the secret");
  },

  async an_unknown_service_is_unimplemented(cell) {
    const plugin = await cell.plugin();
    await failure(plugin.client(Eliza).reply({}), Code.Unimplemented, Eliza.name, Test.name);
    // In the other direction too.
    await using alone = await cell.load();
    await failure(alone.client(Test).askHost({}), Code.Unimplemented, Host.name);
  },

  async an_unknown_method_is_unimplemented(cell) {
    const plugin = await cell.plugin();
    const client = plugin.client(withMethod(Test, "Missing"));
    await failure(client.missing({}), Code.Unimplemented, `${Test.name}/Missing`, "Echo");
  },
} satisfies Record<string, Behaviour>;
