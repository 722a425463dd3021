/** How connections begin and end. */

import { Host, Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { describe, expect, test } from "@jest/globals";
import { Code } from "../src/code.js";
import { Connection } from "../src/connection.js";
import { AnyplugError } from "../src/error.js";
import { Router } from "../src/router.js";
import { Session } from "../src/session.js";
import { failure } from "../src/status.js";
import { cancellationOf, deferred, type Failure, failureOf, hosting, serving } from "./behaviours.js";
import { concat } from "./hex.js";
import { memoryChannels } from "./memory.js";
import { connectInMemory } from "./pair.js";

const echoing = [serving({ echo: ({ text }) => ({ text }) })];

describe("the beginning", () => {
  test("calls may be made before the hello has come: they wait for it", async () => {
    const { host } = connectInMemory({ plugin: echoing });
    expect(host.peer).toBeUndefined();
    expect((await host.client(Test).echo({ text: "early" })).text).toBe("early");
    expect(host.peer?.name).toBe("test-plugin");
  });

  test("calls that wait for a hello keep their deadlines and can be cancelled", async () => {
    const [channel] = memoryChannels();
    const host = new Connection(channel, { role: "host", name: "h", version: "1" });
    const client = host.client(Test);
    expect(await failureOf(client.echo({}, { timeoutMs: 5 }))).toMatchObject({
      code: Code.DeadlineExceeded,
      message: "the call took longer than its 5 ms",
    });
    const controller = new AbortController();
    const call = failureOf(client.echo({}, { signal: controller.signal }));
    controller.abort();
    expect(await call).toMatchObject({ code: Code.Cancelled });
    const waiting = failureOf(client.echo({}));
    host.close();
    expect(await waiting).toMatchObject({ code: Code.Unavailable });
    expect(await failureOf(host.opened)).toMatchObject({ code: Code.Unavailable });
  });

  test("what is no plugin is told from what it said", async () => {
    const [channel, other] = memoryChannels();
    const host = new Connection(channel, { role: "host", name: "h", version: "1" });
    other.open({ data: () => {}, drain: () => {}, closed: () => {} });
    other.write([new TextEncoder().encode("Usage: eliza [options]\n")]);
    const reason = await failureOf(host.opened);
    expect(reason.code).toBe(Code.FailedPrecondition);
    expect(reason.message).toContain('"Usage: e"');
    expect(await host.closed).toMatchObject({ code: Code.FailedPrecondition });
    expect(await failureOf(host.client(Test).echo({}))).toMatchObject({ code: Code.Unavailable });
    expect(channel.closed).toBe(true);
  });

  test("two hosts do not talk to each other, and both say why", async () => {
    const hosts = memoryChannels().map((channel) => {
      const router = new Router({ services: echoing });
      return new Connection(channel, { role: "host", name: "h", version: "1", router });
    });
    // Both take odd ids for their own calls.
    const calls = hosts.map((host) => failureOf(host.client(Test).echo({})));
    for (const failed of await Promise.all(calls)) {
      expect(failed.message).toContain("REQUEST with call id 1, which is not one of the sender's");
    }
  });
});

describe("ping", () => {
  test("is answered, from either side", async () => {
    const { host, plugin } = connectInMemory({ plugin: echoing });
    expect(await host.ping()).toBeGreaterThan(0);
    await Promise.all([plugin.ping(), plugin.ping(), host.ping()]);
  });

  test("fails when the connection ends", async () => {
    const { host, channels } = connectInMemory({ plugin: echoing });
    await host.opened;
    channels[1].pause();
    const ping = failureOf(host.ping());
    host.close();
    expect(await ping).toMatchObject({ code: Code.Unavailable });
  });
});

describe("the end", () => {
  test("of the channel ends the calls of both sides, with what the channel says", async () => {
    const started = deferred();
    const cancelled = deferred<Failure>();
    const { host, plugin, channels } = connectInMemory({
      plugin: [
        serving({
          async wait(_, context) {
            started.resolve();
            cancelled.resolve(await cancellationOf(context));
            return {};
          },
        }),
      ],
    });
    const call = failureOf(host.client(Test).wait({}));
    await started.promise;
    channels[1].close();
    expect(await call).toMatchObject({
      code: Code.Unavailable,
      message: "the connection ended: the other end closed the channel",
    });
    expect((await cancelled.promise).message).toContain("this end closed the channel");
    expect(await plugin.closed).toMatchObject({ message: "this end closed the channel" });
  });

  test("by a handler, in the midst of its call, cancels that call too", async () => {
    const cancelled = deferred<Failure>();
    const { host, plugin } = connectInMemory({
      plugin: [
        serving({
          async echo(_, context) {
            plugin.close(new AnyplugError(Code.Aborted, "I am out"));
            cancelled.resolve(await cancellationOf(context));
            return {};
          },
        }),
      ],
    });
    expect(await failureOf(host.client(Test).echo({}))).toMatchObject({ code: Code.Unavailable });
    expect((await cancelled.promise).message).toContain("I am out");
  });

  test("by a failure of one side is told to the other", async () => {
    const { host, plugin } = connectInMemory({ plugin: echoing });
    await host.opened;
    plugin.close(new AnyplugError(Code.DataLoss, "the disk is gone"));
    expect(await host.closed).toMatchObject({ code: Code.DataLoss, message: "the disk is gone" });
  });

  test("by a drain of the plugin's: the host makes no new calls and closes when the last has ended", async () => {
    const gate = deferred();
    const started = deferred();
    const { host, plugin } = connectInMemory({
      plugin: [
        serving({
          async echo() {
            started.resolve();
            await gate.promise;
            return { text: "done" };
          },
        }),
      ],
    });
    const call = host.client(Test).echo({});
    await started.promise;
    const drained = plugin.drain();
    await plugin.ping();
    expect(await failureOf(host.client(Test).echo({}))).toMatchObject({ code: Code.Unavailable });
    gate.resolve();
    expect((await call).text).toBe("done");
    await drained;
    expect(await host.closed).toMatchObject({ message: "the peer drained the connection" });
  });

  test("by await using drains first", async () => {
    let answered = false;
    const { host } = connectInMemory({ plugin: echoing });
    const call = host
      .client(Test)
      .echo({})
      .then(() => {
        answered = true;
      });
    await host.ping();
    await host[Symbol.asyncDispose]();
    await call;
    expect(answered).toBe(true);
    expect(await host.closed).toMatchObject({ code: Code.Unavailable });
  });

  test("of a draining connection by the channel ends the drain", async () => {
    const started = deferred();
    const { host, channels } = connectInMemory({
      plugin: [
        serving({
          wait() {
            started.resolve();
            return new Promise(() => {});
          },
        }),
      ],
    });
    const call = failureOf(host.client(Test).wait({}));
    await started.promise;
    const drained = host.drain();
    channels[1].close();
    await drained;
    expect(await call).toMatchObject({ code: Code.Unavailable });
  });

  test("comes for a peer that breaks the protocol, and it is told why", async () => {
    const [channel, other] = memoryChannels();
    const peer = new Session({ role: "plugin", name: "p", version: "1", runtime: "", services: [], uses: [] });
    const told = deferred<Failure>();
    other.open({
      data(bytes) {
        peer.receive(bytes);
        for (let event = peer.nextEvent(); event !== undefined; event = peer.nextEvent()) {
          if (event.type === "closed") told.resolve(event.status as Failure);
        }
        other.write(peer.takeOutput());
      },
      drain: () => {},
      closed: () => {},
    });
    const host = new Connection(channel, { role: "host", name: "h", version: "1" });
    await host.opened;
    // A second hello.
    other.write([concat([Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)])]);
    const reason = await host.closed;
    expect(reason.code).toBe(Code.Internal);
    expect(reason.message).toMatch(/^malformed frame at offset \d+: a second HELLO$/);
    expect((await told.promise).message).toBe(reason.message);
  });
});

describe("a host's handlers", () => {
  test("are called by the plugin outside of any call too", async () => {
    const { plugin } = connectInMemory({ plugin: echoing, host: [hosting({ ask: () => ({ answer: "here" }) })] });
    expect((await plugin.client(Host).ask({})).answer).toBe("here");
  });
});

describe("a service", () => {
  test("that is given twice is refused when the router is made", () => {
    expect(() => new Router({ services: [...echoing, ...echoing] })).toThrow("implemented twice");
  });

  test("with too many methods is refused when the connection is made", () => {
    const methods = Array.from({ length: 65_536 }, (_, index) => String(index));
    const services = [{ name: "x.Y", fingerprint: "", methods }];
    expect(() => new Session({ role: "host", name: "h", version: "1", runtime: "", services, uses: [] })).toThrow(
      "65536 methods are served",
    );
  });
});

test("a status is a failure even without words", () => {
  expect(failure(Code.Aborted, "")).toEqual({ code: Code.Aborted, message: "", details: [], metadata: [] });
});
