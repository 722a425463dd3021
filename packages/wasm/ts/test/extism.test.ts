/** Extism plugins: the cases that the three hosts share, and what is this host's alone. */

import { readFileSync } from "node:fs";
import { AnyplugError, Code, codeName } from "@anyplug/core";
import { expect, test } from "@jest/globals";
import type { HttpRequest, HttpResponse } from "../src/extism/http.js";
import { loadExtism } from "../src/extism/load.js";
import type { ExtismOptions } from "../src/extism/settings.js";
import type { WasmOptions } from "../src/limits.js";
import { assemble } from "./guest.js";

const folder = new URL("../../../../test/extism/", import.meta.url);

interface Failure {
  readonly code?: string;
  readonly message?: string;
  readonly says?: readonly string[];
}

interface Call extends Failure {
  readonly function: string;
  readonly input: string;
  readonly output?: string;
  readonly outputHex?: string;
}

interface Case extends Failure {
  readonly name: string;
  readonly module: string;
  readonly options?: ExtismOptions & WasmOptions;
  readonly functions?: readonly string[];
  readonly calls?: readonly Call[];
  readonly logs?: readonly string[];
}

const cases: readonly Case[] = JSON.parse(readFileSync(new URL("cases.json", folder), "utf8"));

async function module(name: string): Promise<Uint8Array> {
  return assemble(readFileSync(new URL(`${name}.wat`, folder), "utf8"));
}

async function load(name: string, options: ExtismOptions = {}) {
  return loadExtism(await module(name), { name, ...options });
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function checkFailure(error: unknown, { code, message, says = [] }: Failure): void {
  if (!(error instanceof AnyplugError)) throw error;
  expect({ code: codeName(error.code), message: error.message }).toMatchObject(
    message === undefined ? { code } : { code, message },
  );
  for (const part of says) expect(error.message).toContain(part);
}

test.each(cases)("$name", async ({ module: name, options = {}, functions, calls, logs, ...failure }) => {
  const { callTimeoutMs, maxMemoryBytes, ...others } = options;
  const lines: string[] = [];
  const loaded = load(name, {
    ...others,
    wasm: { callTimeoutMs, maxMemoryBytes },
    onLog: ({ level, message }) => lines.push(`${level}: ${message}`),
  });
  if (calls === undefined) return checkFailure(await loaded.catch((error: unknown) => error), failure);
  await using plugin = await loaded;
  expect(plugin.name).toBe(name);
  if (functions !== undefined) expect([...plugin.functions].sort()).toEqual(functions);
  for (const call of calls) {
    const answer = await plugin.call(call.function, call.input).catch((error: unknown) => error);
    if (call.code !== undefined) checkFailure(answer, call);
    else if (!(answer instanceof Uint8Array)) throw answer;
    else if (call.outputHex !== undefined) expect(Buffer.from(answer).toString("hex")).toBe(call.outputHex);
    else expect(text(answer)).toBe(call.output);
  }
  if (logs !== undefined) expect(lines).toEqual(logs);
});

test("many calls on one instance leave nothing behind", async () => {
  await using echo = await load("echo");
  await using memory = await load("memory", { wasm: { maxMemoryBytes: 131_072 } });
  await using vars = await load("vars");
  const input = new Uint8Array(1000).fill(97);
  // Hundreds of times as much as there is memory for, if it stayed.
  for (let call = 0; call < 20_000; call++) {
    if (echo.callSync("echo", input).length !== input.length) throw new Error("it lost something");
    memory.callSync("leak", input);
    vars.callSync("count", input);
  }
  expect(new DataView(vars.callSync("count").buffer).getBigUint64(0, true)).toBe(20_001n);
});

test("an instance that ended is replaced, and its variables are gone", async () => {
  const source = await module("vars");
  await using plugin = await loadExtism(source, { maxVarBytes: 20 });
  plugin.callSync("set", "one");
  expect(text(plugin.callSync("get"))).toBe("one");
  expect(() => plugin.callSync("set", "a value that is too long")).toThrow(
    expect.objectContaining({ code: Code.ResourceExhausted }),
  );
  expect(() => plugin.callSync("get")).toThrow(expect.objectContaining({ code: Code.Internal }));
});

test("a call has its own time, and an input its room", async () => {
  await using plugin = await load("loop", { wasm: { callTimeoutMs: 600_000 } });
  await expect(plugin.call("forever", "", { timeoutMs: 50 })).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  await using echo = await load("echo", { wasm: { maxMemoryBytes: 1_000_000 } });
  const large = new Uint8Array(2_000_000);
  await expect(echo.call("echo", large)).rejects.toMatchObject({
    code: Code.ResourceExhausted,
    message: 'plugin "echo" has no room for an input of 2000000 bytes; raise wasm.maxMemoryBytes',
  });
  const fits = large.subarray(0, 900_000).fill(7);
  expect(Buffer.compare(await echo.call("echo", fits), fits)).toBe(0);
});

test("functions of the host's own", async () => {
  const notes: string[] = [];
  let inner: unknown;
  await using plugin = await load("user", {
    functions: {
      note: (input) => {
        notes.push(text(input));
        try {
          plugin.callSync("run");
        } catch (error) {
          inner = error;
        }
        return undefined;
      },
      shout: (input) => {
        if (input.length === 0) throw new AnyplugError(Code.InvalidArgument, "there is nothing to shout");
        return text(input).toUpperCase();
      },
    },
  });
  expect(text(plugin.callSync("run", "hello"))).toBe("HELLO");
  expect(notes).toEqual(["hello"]);
  expect(inner).toMatchObject({ code: Code.FailedPrecondition });
  // What a function throws ends the call, and the next one works.
  await expect(plugin.call("run", "")).rejects.toMatchObject({
    code: Code.InvalidArgument,
    message: "there is nothing to shout",
  });
  expect(text(plugin.callSync("run", "again"))).toBe("AGAIN");
});

const page = (body: string): HttpResponse => ({
  status: 200,
  headers: { "content-type": "text/plain" },
  body: new TextEncoder().encode(body),
});

test("requests go to the hosts that were granted, wherever a redirect leads", async () => {
  const requests: HttpRequest[] = [];
  const redirect = (status: number, location: string): HttpResponse => ({
    status,
    headers: { location },
    body: new Uint8Array(0),
  });
  await using plugin = await load("http", {
    allowedHosts: ["*.example.com"],
    sendRequest: (request) => {
      requests.push(request);
      const { pathname } = new URL(request.url);
      if (pathname === "/away") return redirect(302, "http://evil.test/");
      if (pathname === "/file") return redirect(302, "file:///etc/passwd");
      if (pathname === "/circle") return redirect(302, "/circle");
      if (pathname === "/see") return redirect(303, "https://b.example.com/there");
      if (pathname === "/keep") return redirect(307, "/there");
      return page(request.method);
    },
  });
  const url = (path: string) => `http://A.example.com${path}`;
  const headers = { Authorization: "secret", "Content-Type": "text/plain", "X-Own": "1" };
  const post = (path: string) => `${JSON.stringify({ url: url(path), method: "POST", headers })}\nbody`;
  expect(text(plugin.callSync("request", post("/")))).toBe("POST");
  expect(text(plugin.callSync("request", post("/keep")))).toBe("POST");
  expect(requests[2]).toMatchObject({
    url: "http://a.example.com/there",
    body: new TextEncoder().encode("body"),
    headers,
  });
  // To another origin, the secrets stay behind.
  expect(text(plugin.callSync("request", post("/see")))).toBe("GET");
  expect(requests[4]).toEqual({
    url: "https://b.example.com/there",
    method: "GET",
    headers: { "X-Own": "1" },
    body: undefined,
  });
  for (const [path, code] of [
    ["/away", Code.PermissionDenied],
    ["/file", Code.InvalidArgument],
    ["/circle", Code.Unavailable],
  ] as const) {
    await expect(plugin.call("request", post(path))).rejects.toMatchObject({ code });
  }
  expect(requests.filter(({ url }) => !url.includes("example.com"))).toEqual([]);
  expect(text(plugin.callSync("status", JSON.stringify({ url: url("/") })))).toBe("200");
  expect(text(plugin.callSync("headers", JSON.stringify({ url: url("/") })))).toBe('{"content-type":"text/plain"}');
});

test("a response has a limit", async () => {
  await using plugin = await load("http", {
    allowedHosts: ["*"],
    maxHttpResponseBytes: 10,
    sendRequest: ({ url }) => ({ ...page("0123456789a"), ...(url.endsWith("/none") ? { body: undefined } : {}) }),
  });
  for (const path of ["/", "/none"]) {
    await expect(plugin.call("request", `{"url":"http://example.com${path}"}`)).rejects.toMatchObject({
      code: Code.ResourceExhausted,
      message: 'plugin "http" got a response of more than 10 bytes; raise maxHttpResponseBytes',
    });
  }
});

test("a host that sends no requests says so", async () => {
  await using plugin = await load("http", { allowedHosts: ["*"] });
  await expect(plugin.call("request", '{"url":"http://example.com/"}')).rejects.toMatchObject({
    code: Code.Unimplemented,
  });
});

test("a plugin that nobody listens to need not write a line", async () => {
  await using quiet = await load("log");
  await expect(quiet.call("level")).rejects.toMatchObject({ message: expect.stringMatching(/returned 7/) });
  await using heard = await load("log", { onLog: () => {} });
  expect(heard.callSync("level")).toHaveLength(0);
});

test("a plugin says which limits hold, and a closed one takes no calls", async () => {
  const plugin = await load("echo");
  expect(plugin.enforced).toEqual([
    "maxWasmBytes: when loaded",
    "callTimeout: instrumented",
    "maxMemoryBytes: instrumented",
    "maxTables: when loaded",
    "maxTableElements: instrumented",
    "maxVarBytes: by the host",
    "maxHttpResponseBytes: by the host",
  ]);
  await plugin.close();
  await expect(plugin.call("echo")).rejects.toMatchObject({ code: Code.Unavailable });
});

test("wrong options", async () => {
  await expect(load("echo", { maxVarBytes: -1 })).rejects.toMatchObject({
    code: Code.InvalidArgument,
    message: "maxVarBytes: expected a number of bytes, got -1",
  });
  await expect(load("echo", { config: { a: 1 as unknown as string } })).rejects.toMatchObject({
    code: Code.InvalidArgument,
  });
});

test("what is no module is refused", async () => {
  await expect(loadExtism(new Uint8Array(3))).rejects.toMatchObject({ code: Code.InvalidArgument });
});
