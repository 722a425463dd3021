/** A stock client, vscode-jsonrpc with its headers, calls plugins that we serve. */

import { spawn } from "node:child_process";
import { describe, expect, test } from "@jest/globals";
import {
  CancellationTokenSource,
  createMessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";
import { programs } from "./programs.js";

const path = (method: string) => `anyplug.test.v1.TestService/${method}`;

describe.each(programs)("vscode-jsonrpc calls a plugin in $language", ({ command: [program, ...args], cwd }) => {
  test("requests, errors, streams and cancellation", async () => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ANYPLUG_LISTEN: "json-rpc+stdio:" },
      stdio: ["pipe", "pipe", "ignore"],
    });
    const exit = new Promise((resolve) => child.once("exit", resolve));
    const reader = new StreamMessageReader(child.stdout);
    const client = createMessageConnection(reader, new StreamMessageWriter(child.stdin));
    const streamed: unknown[] = [];
    client.onNotification("$/message", ({ value }: { value: unknown }) => {
      streamed.push(value);
    });
    client.listen();

    expect(await client.sendRequest(path("Echo"), { text: "grüße" })).toEqual({ text: "grüße" });
    await expect(client.sendRequest(path("Fail"), { code: 5, message: "gone" })).rejects.toMatchObject({
      code: -32005,
      message: "gone",
      data: { code: "NOT_FOUND" },
    });
    expect(await client.sendRequest(path("Count"), { count: 2 })).toBeNull();
    expect(streamed).toEqual([{}, { index: 1 }]);
    const cancellation = new CancellationTokenSource();
    const waiting = client.sendRequest(path("Wait"), { ms: 50_000 }, cancellation.token);
    cancellation.cancel();
    await expect(waiting).rejects.toMatchObject({ code: -32001, data: { code: "CANCELLED" } });

    child.stdin.end();
    expect(await exit).toBe(0);
    client.dispose();
  });
});
