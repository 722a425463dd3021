/** Calls from the plugin to the host. */

import { Code, implement } from "@anyplug/core";
import { Host, Secret, Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
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

  async a_callback_is_cancelled_with_its_call(cell) {
    const client = await cell.client();
    const controller = new AbortController();
    const asking = client.askHost({ question: "wait" }, { signal: controller.signal });
    await cell.host.asked.promise;
    controller.abort();
    await failure(asking, Code.Cancelled);
    await cell.host.cancelled.promise;
  },

  async a_capability_must_be_granted(cell) {
    const client = await cell.client();
    await failure(
      client.askHost({ reveal: true }),
      Code.PermissionDenied,
      '"test.secret"',
      "anyplug.test.v1.SecretService/Reveal",
    );
    const services = [implement(Host, cell.host), implement(Secret, cell.host)];
    await using granted = await cell.load({ services, grants: ["test.secret"] });
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
