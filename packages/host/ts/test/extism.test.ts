/** Extism plugins from their files, and what they get over HTTP. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { Code } from "@anyplug/core";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { assemble } from "../../../wasm/ts/test/guest.js";
import { loadExtismPlugin } from "../src/extism.js";

let folder = "";
let server: Worker;
let origin = "";

/** The plugin waits on this thread, so the server has one of its own. */
function serve(): void {
  const { createServer: create } = require("node:http");
  const { parentPort } = require("node:worker_threads");
  const listening: Server = create((request: IncomingMessage, response: ServerResponse) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk;
    });
    request.on("end", () => {
      const path = request.url ?? "";
      if (path === "/silent") return;
      if (path === "/cut") return request.socket.destroy();
      if (path === "/away") return response.writeHead(302, { location: "http://localhost.invalid/" }).end();
      if (path === "/home") return response.writeHead(302, { location: "/answer" }).end();
      if (path === "/large") return response.end("a".repeat(100_000));
      const said = { method: request.method, path, own: request.headers["x-own"], body };
      return response.writeHead(path === "/teapot" ? 418 : 200, { "x-answer": "yes" }).end(JSON.stringify(said));
    });
  });
  listening.listen(0, "127.0.0.1", () => parentPort.postMessage((listening.address() as AddressInfo).port));
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "anyplug-extism-"));
  for (const name of ["echo", "http"]) {
    const text = readFileSync(new URL(`../../../../test/extism/${name}.wat`, import.meta.url), "utf8");
    writeFileSync(join(folder, `${name}.wasm`), await assemble(text));
  }
  server = new Worker(`(${serve.toString()})()`, { eval: true, execArgv: [] });
  const port = await new Promise((resolve, reject) => {
    server.once("message", resolve);
    server.once("error", reject);
  });
  origin = `http://127.0.0.1:${port}`;
});

afterAll(async () => {
  await server.terminate();
  rmSync(folder, { recursive: true });
});

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

test("a plugin is called by its file's name", async () => {
  const path = join(folder, "echo.wasm");
  for (const source of [path, pathToFileURL(path)]) {
    await using plugin = await loadExtismPlugin(source);
    expect([plugin.name, plugin.functions]).toEqual(["echo", ["echo", "nothing"]]);
    expect(text(await plugin.call("echo", "Ada"))).toBe("Ada");
  }
  await using plugin = await loadExtismPlugin(readFileSync(path), { name: "another" });
  expect([plugin.name, text(plugin.callSync("echo", "Ada"))]).toEqual(["another", "Ada"]);
});

test("a file that does not exist, or is too large", async () => {
  const absent = join(folder, "absent.wasm");
  await expect(loadExtismPlugin(absent)).rejects.toMatchObject({
    code: Code.NotFound,
    message: `${absent} does not exist; build the plugin, or name another`,
  });
  await expect(loadExtismPlugin(join(folder, "echo.wasm"), { wasm: { maxWasmBytes: 10 } })).rejects.toMatchObject({
    code: Code.ResourceExhausted,
  });
});

test("requests to a host that was granted", async () => {
  await using plugin = await loadExtismPlugin(join(folder, "http.wasm"), {
    allowedHosts: ["127.0.0.1"],
    wasm: { callTimeoutMs: Number.POSITIVE_INFINITY },
  });
  const ask = (path: string, more: object = {}, body = "") =>
    `${JSON.stringify({ url: origin + path, ...more })}${body === "" ? "" : `\n${body}`}`;
  const answer = await plugin.call("request", ask("/answer", { method: "PUT", headers: { "X-Own": "1" } }, "größer"));
  expect(JSON.parse(text(answer))).toEqual({ method: "PUT", path: "/answer", own: "1", body: "größer" });
  // With a body, a GET as well.
  expect(JSON.parse(text(await plugin.call("request", ask("/answer", {}, "x"))))).toMatchObject({
    method: "GET",
    body: "x",
  });
  expect(JSON.parse(text(await plugin.call("request", ask("/home"))))).toMatchObject({ path: "/answer" });
  expect(text(await plugin.call("status", ask("/teapot")))).toBe("418");
  expect(JSON.parse(text(await plugin.call("headers", ask("/answer"))))).toMatchObject({ "x-answer": "yes" });
  await expect(plugin.call("request", ask("/away"))).rejects.toMatchObject({ code: Code.PermissionDenied });
  await expect(plugin.call("request", ask("/cut"))).rejects.toMatchObject({ code: Code.Unavailable });
  await expect(plugin.call("request", ask("/answer", { headers: { "a b": "c" } }))).rejects.toMatchObject({
    code: Code.InvalidArgument,
  });
  await expect(plugin.call("request", ask("/silent"), { timeoutMs: 50 })).rejects.toMatchObject({
    code: Code.DeadlineExceeded,
  });
  // The thread for requests goes on.
  expect(text(await plugin.call("status", ask("/answer")))).toBe("200");
});

test("a response is not read further than it may be large", async () => {
  const options = { allowedHosts: ["127.0.0.1"], maxHttpResponseBytes: 99_999, wasm: { callTimeoutMs: 120_000 } };
  await using plugin = await loadExtismPlugin(join(folder, "http.wasm"), options);
  await expect(plugin.call("request", `{"url":"${origin}/large"}`)).rejects.toMatchObject({
    code: Code.ResourceExhausted,
    message: 'plugin "http" got a response of more than 99999 bytes; raise maxHttpResponseBytes',
  });
});

test("a host that was not granted is not asked", async () => {
  await using plugin = await loadExtismPlugin(join(folder, "http.wasm"));
  await expect(plugin.call("request", `{"url":"${origin}/answer"}`)).rejects.toMatchObject({
    code: Code.PermissionDenied,
    message: 'plugin "http" may not send requests to "127.0.0.1"; grant it by allowedHosts',
  });
});
