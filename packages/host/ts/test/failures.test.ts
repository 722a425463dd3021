/** What goes wrong when a plugin is loaded, and what the host is told: one clear error, at once. */

import { join } from "node:path";
import { Code } from "@anyplug/core";
import { HarmRequest_Kind as Kind } from "@anyplug/generated/anyplug/test/v1/test.js";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { Eliza } from "@anyplug/generated/eliza_classic/v1/eliza_anyplug.js";
import { describe, expect, test } from "@jest/globals";
import { loadPlugin } from "../src/index.js";
import { failure, folder, Logs, script, testPlugin, untilGone } from "./fixture/plugins.js";

/** Longer than a test may take: nothing here is found out by waiting for it. */
const startTimeoutMs = 600_000;

describe("a load fails at once, with", () => {
  test("a folder without a plugin", async () => {
    const path = join(folder({}), "none");
    await failure(loadPlugin(path), Code.NotFound, `there is no plugin at ${path}`);
  });

  test("a manifest without a command", async () => {
    const path = folder({});
    const message = `${path}/plugin.json: interop.ipcCommand is missing, and transport "process" needs a command to start`;
    await failure(loadPlugin(path), Code.FailedPrecondition, message);
  });

  test("a transport that this host does not have", async () => {
    const path = folder({ transports: ["wasm"] });
    const names = `${path}/plugin.json: transports names wasm, and this host has process, stdio for it`;
    await failure(loadPlugin(path), Code.FailedPrecondition, names);
    const asked = 'transport: expected one of direct, process, stdio, wasm, ffi, got "pigeon"';
    await failure(loadPlugin(path, { transport: "pigeon" as "stdio" }), Code.InvalidArgument, asked);
    await failure(
      loadPlugin(path, { transport: "direct" }),
      Code.FailedPrecondition,
      /names its module in interop.module/,
    );
    await failure(
      loadPlugin(path, { transport: "wasm" }),
      Code.FailedPrecondition,
      /names its module in interop.wasmPath/,
    );
  });

  test("a program that is missing", async () => {
    const path = folder({ interop: { ipcCommand: "bin/plugin --flag" } });
    const message = `cannot start plugin "test-plugin": program ${path}/bin/plugin does not exist; build it, or name another command`;
    await failure(loadPlugin(path), Code.NotFound, message);
  });

  test("a Python that is missing", async () => {
    const path = folder({ language: "python", interop: { ipcCommand: "python3 -m plugin" } });
    const message =
      'cannot start plugin "test-plugin": program /no/python does not exist; build it, or name another command';
    await failure(loadPlugin(path, { python: "/no/python" }), Code.NotFound, message);
    await failure(loadPlugin(path, { python: "python9", env: { PATH: "/x:/y" } }), Code.NotFound, /looked in \/x, \/y/);
  });

  test.each(["process", "stdio"] as const)("an exit before the hello, over %s", async (transport) => {
    const path = script("echo cannot find the library >&2; exit 3");
    const message =
      'plugin "test-plugin" exited with status 3 before its hello; its last lines on stderr:\n  cannot find the library';
    await failure(loadPlugin(path, { transport, startTimeoutMs }), Code.Unavailable, message);
  });

  test("a death before the hello", async () => {
    const message = 'plugin "test-plugin" was killed by SIGSEGV before its hello';
    await failure(loadPlugin(script("kill -SEGV $$"), { startTimeoutMs }), Code.Unavailable, message);
  });

  test("a channel that is closed without a hello", async () => {
    const path = script("exec 3<&-; exec sleep 100000");
    const message = 'plugin "test-plugin" closed its channel before its hello and still runs';
    await failure(loadPlugin(path, { startTimeoutMs }), Code.Unavailable, message);
  });

  test("bytes that are not the magic", async () => {
    const path = script("echo oops >&2; printf 'HTTP/1.1 400 Bad Request' >&3; exec sleep 100000");
    const { message } = await failure(loadPlugin(path, { startTimeoutMs }), Code.FailedPrecondition);
    expect(message).toMatch(/^plugin "test-plugin": /);
    expect(message).toContain("HTTP/1.1");
    expect(message).toContain("its last lines on stderr:\n  oops");
  });

  test("a newer protocol", async () => {
    // The magic, and HELLO with protocol 9 and min_protocol 9.
    const hello = String.raw`anyplug\n\004\000\000\000\001\000\000\000\000\000\000\000\010\011\020\011`;
    const path = script(`printf '${hello}' >&3; exec sleep 100000`);
    await failure(loadPlugin(path, { startTimeoutMs }), Code.FailedPrecondition, /^plugin "test-plugin": .*9.*1/);
  });

  test.each(["process", "stdio"] as const)("a plugin that refuses its configuration, over %s", async (transport) => {
    const config = { refuse: "line 7: a rule without an end" };
    const message = 'plugin "test-plugin" refused to start: line 7: a rule without an end';
    await failure(loadPlugin(testPlugin, { transport, config, startTimeoutMs }), Code.InvalidArgument, message);
  });

  test("a plugin that thinks about it after its hello, and then refuses", async () => {
    // What this host says is a hello as good as any. GOAWAY, with INVALID_ARGUMENT and "line 7", comes in place of the answer to its ping.
    const goaway = String.raw`\014\000\000\000\012\000\000\000\000\000\000\000\012\012\010\003\022\006line 7`;
    const take = "dd bs=65536 count=1 <&3 2>/dev/null";
    const path = script(`${take} >&3; ${take} >/dev/null; printf '${goaway}' >&3; exec sleep 100000`);
    const message = 'plugin "test-plugin" refused to start: line 7';
    await failure(loadPlugin(path, { startTimeoutMs }), Code.InvalidArgument, message);
  });

  test("a service that is expected and not there", async () => {
    const loading = loadPlugin(testPlugin, { transport: "process", expect: [Test, Eliza], startTimeoutMs });
    await failure(loading, Code.Unimplemented, /eliza_classic\.v1\.ElizaService/);
  });
});

test("a configuration that is too large for a process is refused, and says what to do", async () => {
  const message =
    'the configuration of plugin "test-plugin" takes 200013 bytes, and a process takes 131056; give the path of a file instead';
  const loading = loadPlugin(testPlugin, { transport: "process", config: { script: "x".repeat(200_000) } });
  await failure(loading, Code.InvalidArgument, message);
});

test("a hello that never comes is waited for as long as the host says", async () => {
  const path = script("echo $$; echo waiting for a lock >&2; exec sleep 100000");
  const lines = "; its last lines on stderr:\n  waiting for a lock";
  let message = "";
  // On a busy machine the time may be over before the shell has begun; then it is given more.
  for (let startTimeoutMs = 500; !message.endsWith(lines); startTimeoutMs *= 2) {
    const logs = new Logs();
    const loading = failure(loadPlugin(path, { startTimeoutMs, onLog: logs.take }), Code.DeadlineExceeded);
    ({ message } = await loading);
    expect(message).toMatch(`plugin "test-plugin" sent no hello within ${startTimeoutMs} ms`);
    const pid = logs.lines.map((line) => /^stdout: (\d+)$/.exec(line)?.[1]).find((found) => found !== undefined);
    if (pid !== undefined) await untilGone(Number(pid));
  }
});

test("a load that is aborted kills the process", async () => {
  const logs = new Logs();
  const abort = new AbortController();
  const loading = loadPlugin(script("echo $$; exec sleep 100000"), { signal: abort.signal, onLog: logs.take });
  const pid = Number(await logs.find(/^stdout: (\d+)$/));
  abort.abort();
  await failure(loading, Code.Cancelled);
  await untilGone(pid);
  await failure(loadPlugin(testPlugin, { signal: abort.signal }), Code.Cancelled);
});

test.each([
  [Kind.KIND_EXIT, 7, "exited with status 7"],
  [Kind.KIND_KILL, 0, "was killed by SIGKILL"],
])("a crash in the middle of calls (%s) ends them all with how the process ended", async (kind, number, end) => {
  const logs = new Logs();
  await using plugin = await loadPlugin(testPlugin, { transport: "process", onLog: logs.take });
  const client = plugin.client(Test);
  await client.harm({ kind: Kind.KIND_STDERR, text: "about to die\n" });
  await logs.find(/^stderr: about to die$/);
  const waiting = client.wait({ ms: 60_000 });
  const streaming = (async () => {
    for await (const _ of client.count({ count: 1_000_000, delayMs: 1 }));
  })();
  const dying = client.harm({ kind, number });
  const message = `the connection ended: plugin "test-plugin" ${end}; its last lines on stderr:\n  about to die`;
  for (const call of [waiting, streaming, dying]) await failure(call, Code.Unavailable, message);
  await failure(client.echo({}), Code.Unavailable);
  expect((await plugin.closed).message).toContain(end);
});
