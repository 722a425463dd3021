/** The plugin's process: what it prints, what it logs, how it ends. */

import { Code } from "@anyplug/core";
import { HarmRequest_Kind as Kind } from "@anyplug/generated/anyplug/test/v1/test.js";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { expect } from "@jest/globals";
import { type Behaviour, collect, failure } from "./behaviour.js";
import { Logs } from "./cell.js";

export const processes = {
  async what_a_plugin_prints_is_log(cell) {
    const client = await cell.client();
    await client.harm({ kind: Kind.KIND_STDOUT, text: "printed ü\n" });
    await client.harm({ kind: Kind.KIND_STDERR, text: "complained\n" });
    // Over stdio, stdout is the channel's, and the plugin's prints go to stderr.
    const printed =
      cell.transport === "stdio" ? { logger: "stderr", level: "warn" } : { logger: "stdout", level: "info" };
    expect(await cell.logs.find("printed ü")).toMatchObject(printed);
    expect(await cell.logs.find("complained")).toMatchObject({ logger: "stderr", level: "warn" });
    expect((await client.echo({ text: "still there" })).text).toBe("still there");
  },

  async a_plugin_reads_nothing_from_stdin(cell) {
    const client = await cell.client();
    expect((await client.harm({ kind: Kind.KIND_STDIN })).text).toBe("");
    expect((await client.echo({ text: "still there" })).text).toBe("still there");
  },

  async a_log_record_keeps_its_level(cell) {
    const client = await cell.client();
    await client.harm({ kind: Kind.KIND_LOG, text: "noted ü" });
    expect(await cell.logs.find("noted ü")).toMatchObject({ level: "info", logger: Test.name });
  },

  async an_exit_ends_calls_with_status_and_last_lines(cell) {
    const logs = new Logs();
    await using plugin = await cell.load({ onLog: logs.take });
    const client = plugin.client(Test);
    await client.harm({ kind: Kind.KIND_STDERR, text: "about to die\n" });
    await logs.find("about to die");
    const waiting = client.wait({ ms: 60_000 });
    const dying = client.harm({ kind: Kind.KIND_EXIT, number: 7 });
    for (const call of [waiting, dying]) await failure(call, Code.Unavailable, "status 7", "about to die");
    await failure(client.echo({}), Code.Unavailable, "status 7");
    expect((await plugin.closed).message).toContain("status 7");
  },

  async a_kill_ends_calls_with_the_signal(cell) {
    await using plugin = await cell.load();
    const client = plugin.client(Test);
    const streaming = collect(client.count({ count: 1_000_000, delayMs: 1 }));
    const dying = client.harm({ kind: Kind.KIND_KILL });
    for (const call of [streaming, dying]) await failure(call, Code.Unavailable, "SIGKILL");
  },
} satisfies Record<string, Behaviour>;
