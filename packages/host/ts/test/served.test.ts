/** Plugins that are served at an address: many hosts, hostile ones, lost links, certificates. */

import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AnyplugError, Code, type Connection, implement } from "@anyplug/core";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { definePlugin, type ListenOptions, listen, type PluginDefinition, type PluginServer } from "@anyplug/sdk";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { type LoadOptions, loadPlugin, type Plugin } from "../src/index.js";
import { backoffOf, delayMs, ReconnectingLink } from "../src/reconnect.js";

let folder: string;
const ends: AsyncDisposable[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "anyplug-served-"));
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const counted = (name: string, prefix = ""): PluginDefinition =>
  definePlugin({
    name,
    version: "1.0.0",
    services(config) {
      let calls = 0;
      return [
        implement(Test, {
          ...unused,
          echo: ({ text }) => {
            calls += 1;
            return { text: `${prefix}${text} ${calls} ${config["tone"] ?? ""}` };
          },
          wait: (_, { signal }) =>
            new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
        }),
      ];
    },
  });

const unused = {
  fail: () => ({}),
  count: () => [],
  sum: () => ({}),
  converse: () => [],
  waitReport: () => ({}),
  askHost: () => ({}),
  harm: () => ({}),
};

async function served(
  plugins: PluginDefinition | PluginDefinition[],
  options: Partial<ListenOptions> = {},
): Promise<PluginServer> {
  const server = await listen(plugins, { listen: `unix:${folder}/x.sock`, ...options });
  ends.push(server);
  return server;
}

async function loaded(address: string, options: LoadOptions = {}): Promise<Plugin> {
  const plugin = await loadPlugin(address, options);
  ends.push(plugin);
  return plugin;
}

async function failure(promise: Promise<unknown>): Promise<AnyplugError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof AnyplugError) return error;
  throw new Error(`expected a failure, got ${String(error)}`);
}

describe("a server", () => {
  test("serves many hosts at once, each with services of its own", async () => {
    const server = await served(counted("counter"));
    const plugins = await Promise.all(Array.from({ length: 20 }, () => loaded(server.address)));
    expect(server.connections).toBe(20);
    const answers = await Promise.all(plugins.map((plugin) => plugin.client(Test).echo({ text: "first" })));
    expect(answers.map(({ text }) => text)).toEqual(Array(20).fill("first 1 "));
  });

  test("offers a set of plugins, of which a host names one", async () => {
    const server = await served([counted("one", "1:"), counted("two", "2:")]);
    const two = await loaded(`${server.address}#two`);
    expect([two.name, (await two.client(Test).echo({ text: "x" })).text]).toEqual(["two", "2:x 1 "]);
    expect(await failure(loadPlugin(`${server.address}#three`))).toMatchObject({
      code: Code.NotFound,
      message: expect.stringContaining('there is no plugin "three" at this address; it has one, two'),
    });
    expect(await failure(loadPlugin(server.address))).toMatchObject({ code: Code.InvalidArgument });
    await expect(listen([counted("one"), counted("one")], { listen: "tcp://127.0.0.1:0" })).rejects.toThrow(
      "got one, one",
    );
  });

  test("takes the host's configuration, under its own", async () => {
    const server = await served(counted("counter"));
    const mild = await loaded(server.address, { config: { tone: "mild" } });
    expect((await mild.client(Test).echo({ text: "x" })).text).toBe("x 1 mild");
    const fixed = await served(counted("counter"), { listen: `unix:${folder}/y.sock`, config: { tone: "stern" } });
    const stern = await loaded(fixed.address, { config: { tone: "mild" } });
    expect((await stern.client(Test).echo({ text: "x" })).text).toBe("x 1 stern");
  });

  test("has a socket that nobody else can use, and leaves none behind", async () => {
    const server = await served(counted("counter"));
    expect(statSync(`${folder}/x.sock`).mode & 0o777).toBe(0o600);
    await server.close();
    expect(existsSync(`${folder}/x.sock`)).toBe(false);
  });

  test("replaces the socket of a dead server, and neither that of a live one nor a file", async () => {
    const path = `${folder}/x.sock`;
    const dead = createServer().listen(path);
    await once(dead, "listening");
    // Closed behind Node's back, which would remove the file.
    const handle = dead as unknown as { _handle: { close(): void; fd: number } };
    const copy = `${folder}/copy.sock`;
    const { linkSync, renameSync } = await import("node:fs");
    linkSync(path, copy);
    handle._handle.close();
    renameSync(copy, path);
    const server = await served(counted("counter"));
    expect((await failure(served(counted("counter")))).toString()).toContain("ALREADY_EXISTS: something listens on");
    await server.close();
    writeFileSync(path, "precious");
    expect((await failure(served(counted("counter")))).toString()).toContain(
      "exists and is no socket; it is left alone",
    );
  });

  test("turns away one host too many, and others when they go", async () => {
    const server = await served(counted("counter"), { maxConnections: 1 });
    const first = await loadPlugin(server.address);
    expect(await failure(loadPlugin(server.address))).toMatchObject({
      code: Code.ResourceExhausted,
      message: expect.stringContaining("1 hosts are connected already"),
    });
    await first.close();
    while (server.connections > 0) await new Promise((resolve) => setImmediate(resolve));
    await loaded(server.address);
  });

  test("is not harmed by hosts that send garbage, too much or nothing", async () => {
    const server = await served(counted("counter"));
    const plugin = await loaded(server.address);
    // One of its own for hosts that say nothing more: a good one may be as slow as they are.
    await served(counted("counter"), { listen: `unix:${folder}/impatient.sock`, helloTimeoutMs: 100 });
    const header = (length: number) => {
      const bytes = Buffer.from("anyplug\n............");
      bytes.fill(0, 8);
      bytes.writeUInt32LE(length, 8);
      bytes[12] = 1;
      return bytes;
    };
    const garbage = [
      Buffer.from("GET / HTTP/1.1\r\n\r\n"),
      header(0xffff_ffff),
      Buffer.concat([header(5), Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff])]),
    ];
    const answers = await Promise.all([
      ...garbage.map((bytes) => said(`${folder}/x.sock`, bytes)),
      ...[header(100), Buffer.alloc(0)].map((bytes) => said(`${folder}/impatient.sock`, bytes)),
    ]);
    // Each is answered by a hello and a reason, and then closed.
    for (const answer of answers) expect(answer).toMatch(/^anyplug\n/);
    expect((await plugin.client(Test).echo({ text: "unharmed" })).text).toBe("unharmed 1 ");
  });

  test("lets calls in flight end when it is closed", async () => {
    let end: () => void = () => {};
    const slow = definePlugin({
      name: "slow",
      version: "1.0.0",
      services: [
        implement(Test, {
          ...unused,
          echo: () => ({}),
          wait: () =>
            new Promise<object>((resolve) => {
              end = () => resolve({});
            }),
        }),
      ],
    });
    const server = await served(slow);
    const plugin = await loaded(server.address, { reconnect: false });
    const waiting = plugin.client(Test).wait({ ms: 0 });
    await plugin.client(Test).echo({});
    const closing = server.close();
    end();
    expect(await waiting).toEqual({});
    await closing;
    expect(await plugin.closed).toMatchObject({ code: Code.Unavailable });
  });
});

/** What a server says to a host that sends these bytes, and nothing more; until it closes. */
function said(path: string, bytes: Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket: Socket = connect(path, () => void socket.write(bytes));
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", () => {});
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  });
}

describe("a host", () => {
  test("says why there is no plugin at an address", async () => {
    const address = `unix:${folder}/nothing.sock`;
    expect((await failure(loadPlugin(address))).toString()).toContain(`cannot connect to ${address}: there is no`);
    const refused = await failure(loadPlugin("tcp://127.0.0.1:1"));
    expect(refused.code).toBe(Code.Unavailable);
    expect((await failure(loadPlugin("tcp://192.0.2.1:9"))).code).toBe(Code.FailedPrecondition);
    expect((await failure(loadPlugin("tcp:x"))).code).toBe(Code.InvalidArgument);
    expect((await failure(loadPlugin(address, { transport: "tcp" }))).message).toContain(
      'reached by "unix", not by "tcp"',
    );
    expect((await failure(loadPlugin(address, { env: { A: "b" } }))).message).toContain("env");
  });

  test("does not trust a folder that others write to", async () => {
    const server = await served(counted("counter"));
    chmodSync(folder, 0o777);
    expect((await failure(loadPlugin(server.address))).code).toBe(Code.PermissionDenied);
    chmodSync(folder, 0o700);
  });

  test("does not wait for ever for one that says nothing", async () => {
    const silent = createServer(() => {}).listen(`${folder}/silent.sock`);
    await once(silent, "listening");
    const error = await failure(loadPlugin(`unix:${folder}/silent.sock`, { startTimeoutMs: 50 }));
    expect(error.toString()).toContain("was not ready within 50 ms");
    silent.close();
  });

  test("ends calls in flight with a lost link, makes idempotent ones again when it is back, and no others", async () => {
    const server = await served(counted("counter"));
    const plugin = await loaded(server.address, { reconnect: { initialDelayMs: 1 } });
    const client = plugin.client(Test);
    await client.echo({ text: "before" });
    const waiting = failure(client.wait({ ms: 0 }));
    await server.close().catch(() => {});
    expect((await waiting).code).toBe(Code.Unavailable);
    expect((await failure(client.wait({ ms: 0 }))).message).toContain("is being made again");
    // Idempotent by its schema: it waits.
    const again = client.echo({ text: "after" });
    await served(counted("counter"));
    expect((await again).text).toBe("after 1 ");
    // For a call without a deadline; one with a deadline waits no longer than that.
    expect((await client.echo({ text: "after" }, { timeoutMs: 60_000 })).text).toBe("after 2 ");
  });

  test("notices another plugin at the address, and one that is not coming back", async () => {
    const server = await served(counted("counter"));
    const plugin = await loaded(server.address, { reconnect: { initialDelayMs: 1 } });
    const other = await loaded(server.address, { reconnect: { initialDelayMs: 1, maxAttempts: 2 } });
    await server.close();
    expect((await other.closed).code).toBe(Code.Unavailable);
    await served(counted("impostor"));
    expect(await plugin.closed).toMatchObject({
      code: Code.FailedPrecondition,
      message: expect.stringContaining('is plugin "impostor" now, and was "counter"'),
    });
    expect((await failure(plugin.client(Test).echo({}))).code).toBe(Code.Unavailable);
  });
});

test("the time between attempts doubles up to a limit, less a random half", () => {
  const backoff = { ...backoffOf({ initialDelayMs: 100, maxDelayMs: 1000 }), random: () => 0 };
  expect([0, 1, 2, 3, 4, 50, 5000].map((attempt) => delayMs(backoff, attempt))).toEqual([
    50, 100, 200, 400, 500, 500, 500,
  ]);
  expect(delayMs({ ...backoff, random: () => 0.5 }, 0)).toBe(75);
});

test("attempts wait as the backoff says, by its own clock", async () => {
  const waits: number[] = [];
  const lost = new AnyplugError(Code.Unavailable, "gone");
  const first = { opened: Promise.resolve({ name: "x", version: "", runtime: "" }), closed: Promise.resolve(lost) };
  const backoff = {
    ...backoffOf({ initialDelayMs: 100, maxAttempts: 4 }),
    random: () => 0,
    wait: (ms: number) => Promise.resolve(waits.push(ms)),
  };
  const dial = () => Promise.reject(new AnyplugError(Code.Unavailable, "still gone"));
  const link = new ReconnectingLink(first as unknown as Connection, { dial, backoff });
  expect((await link.closed).message).toBe("still gone");
  expect(waits).toEqual([50, 100, 200, 400]);
});

describe("tls", () => {
  const file = (name: string) => fileURLToPath(new URL(`../../../../test/certificates/${name}`, import.meta.url));
  const of = (name: string, ca = "authority") => ({
    certificate: file(`${name}.pem`),
    key: file(`${name}.key`),
    ca: file(`${ca}.pem`),
  });

  test("carries calls between two that show certificates of one authority", async () => {
    const server = await served(counted("counter"), { listen: "tls://127.0.0.1:0", tls: of("plugin") });
    const plugin = await loaded(server.address, { tls: of("host") });
    expect(plugin.transport).toBe("tls");
    const text = "x".repeat(1_000_000);
    expect((await plugin.client(Test).echo({ text })).text).toBe(`${text} 1 `);
    await plugin.close();
  });

  test("refuses a host of another authority, and a plugin of another", async () => {
    const server = await served(counted("counter"), { listen: "tls://127.0.0.1:0", tls: of("plugin") });
    const stranger = await failure(loadPlugin(server.address, { tls: of("stranger") }));
    expect(stranger.message).toContain("may not accept this host's certificate");
    const misled = { ...of("host"), ca: file("stranger-authority.pem") };
    expect((await failure(loadPlugin(server.address, { tls: misled }))).code).toBe(Code.Unauthenticated);
    expect((await failure(loadPlugin(server.address))).message).toContain("tls:// needs certificates");
    const missing = { ...of("host"), key: `${folder}/no.key` };
    expect((await failure(loadPlugin(server.address, { tls: missing }))).message).toContain("tls.key");
    await loaded(server.address, { tls: of("host") });
  });
});
