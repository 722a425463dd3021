/** One request, one response. */

import { readFileSync } from "node:fs";
import { Code, type Metadata } from "@anyplug/core";
import { Everything, FailDetail } from "@anyplug/generated/anyplug/test/v1/test.js";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { expect } from "@jest/globals";
import { type Behaviour, failure } from "./behaviour.js";

export const calls = {
  async a_plugin_says_who_it_is(cell) {
    const plugin = await cell.plugin();
    expect([plugin.name, plugin.version, plugin.transport]).toEqual(["test-plugin", "0.1.0", cell.transport]);
    expect(plugin.manifest.offers).toEqual(["anyplug.test.v1.TestService"]);
  },

  async every_kind_of_field_comes_back_equal(cell) {
    const everything = Everything.decode(
      Uint8Array.from(readFileSync(new URL("../everything.binpb", import.meta.url))),
    );
    const answer = await (await cell.client()).echo({ everything });
    expect(answer.everything).toEqual(everything);
    // What is compared is not all defaults.
    expect(everything.uint64Value).toBe(18_446_744_073_709_551_615n);
    expect(everything.byId.get(9_223_372_036_854_775_807n)?.boolValue).toBe(true);
    expect(everything.choice?.$case).toBe("choiceChild");
  },

  async a_large_message_passes(cell) {
    const data = Uint8Array.from({ length: 3_000_000 }, (_, index) => index * 7);
    const answer = await (await cell.client()).echo({ data });
    expect(Buffer.from(data).equals(answer.data)).toBe(true);
  },

  async metadata_goes_both_ways(cell) {
    let header: Metadata = [];
    let trailer: Metadata = [];
    const answer = await (await cell.client()).echo(
      {},
      {
        metadata: [
          ["key", "one"],
          ["key", "zwei ü 三"],
          ["header-a", "first"],
          ["trailer-b", "last"],
          ["trailer-b", "very last"],
        ],
        onHeader: (metadata) => {
          header = metadata;
        },
        onTrailer: (metadata) => {
          trailer = metadata;
        },
      },
    );
    expect(answer.metadata.slice(0, 2)).toEqual(["key: one", "key: zwei ü 三"]);
    expect(header).toEqual([["header-a", "first"]]);
    expect(trailer).toEqual([
      ["trailer-b", "last"],
      ["trailer-b", "very last"],
    ]);
  },

  async the_plugin_sees_the_remaining_time(cell) {
    const client = await cell.client();
    const { remainingMs = 0 } = await client.echo({}, { timeoutMs: 60_000 });
    expect(remainingMs).toBeGreaterThan(0);
    expect(remainingMs).toBeLessThanOrEqual(60_000);
    expect((await client.echo({})).remainingMs).toBeUndefined();
  },

  async an_error_keeps_code_message_and_details(cell) {
    const client = await cell.client();
    for (let code = 1; code <= 16; code += 1) {
      const message = `code ${code}: ü`;
      const error = await failure(client.fail({ code, message, detail: "more of it" }), code as Code);
      expect(error.message).toBe(message);
      expect(error.details.map(({ typeUrl, value }) => [typeUrl, FailDetail.decode(value).text])).toEqual([
        ["type.googleapis.com/anyplug.test.v1.FailDetail", "more of it"],
      ]);
    }
  },

  async a_crash_in_a_handler_ends_its_call_alone(cell) {
    const client = await cell.client();
    const beside = client.echo({ text: "beside" });
    // A module cannot unwind: a panic ends the instance, with whatever else it is at.
    if (cell.transport === "wasm") await beside;
    const error = await client.fail({ crash: true, message: "boom" }).then(
      () => undefined,
      (reason) => reason,
    );
    expect([Code.Unknown, Code.Internal]).toContain(error.code);
    expect(error.message).not.toMatch(/Traceback|\n|\.(ts|js|py|rs)\b/);
    expect((await beside).text).toBe("beside");
    expect((await client.echo({ text: "still there" })).text).toBe("still there");
  },

  async a_thousand_calls_at_once_are_all_right(cell) {
    const client = await cell.client();
    const texts = Array.from({ length: 1000 }, (_, index) => `call ${index}`);
    const answers = await Promise.all(texts.map((text) => client.echo({ text })));
    expect(answers.map(({ text }) => text)).toEqual(texts);
  },

  async ten_thousand_calls_at_once_are_all_right(cell) {
    await using plugin = await cell.load({ limits: { maxPendingRequests: 10_000 } });
    const client = plugin.client(Test);
    const texts = Array.from({ length: 10_000 }, (_, index) => `call ${index}`);
    const answers = await Promise.all(texts.map((text) => client.echo({ text })));
    expect(answers.map(({ text }) => text)).toEqual(texts);
  },
} satisfies Record<string, Behaviour>;
