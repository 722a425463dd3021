/** What holds the calls: its peer, its configuration, its end. */

import { Host, Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { describe, expect, test } from "@jest/globals";
import { Code } from "../../src/code.js";
import type { LogRecord } from "../../src/log.js";
import { cancellationOf, deferred, echo, type Failure, failureOf, hosting, serving, type Wired } from "./setup.js";

export function link({ client, connect, error }: Wired): void {
  describe("the link", () => {
    test("knows its peer, and hands the configuration to handlers", async () => {
      let config: unknown;
      const link = await connect({
        config: { answer: 42 },
        plugin: [
          serving({
            echo(_, context) {
              config = context.config;
              return {};
            },
          }),
        ],
      });
      expect(await link.opened).toMatchObject({ name: "test-plugin", version: "1.0.0" });
      await link.client(Test).echo({});
      expect(config).toEqual({ answer: 42 });
    });

    test("takes the records of a plugin's handlers into the host's log, and those of the host's own", async () => {
      const records: LogRecord[] = [];
      const host = hosting({
        ask(_, context) {
          context.log("debug", "at the host");
          return {};
        },
      });
      const service = await client(
        {
          async askHost(_, context) {
            context.log("warn", "at the plugin", { k: "v" });
            await context.client(Host).ask({});
            return {};
          },
        },
        { host: [host], onLog: (record) => records.push(record) },
      );
      await service.askHost({});
      expect(records).toMatchObject([
        { level: "warn", message: "at the plugin", logger: "anyplug.test.v1.TestService", fields: { k: "v" } },
        { level: "debug", message: "at the host", logger: "anyplug.test.v1.HostService" },
      ]);
    });

    test("drains: calls in flight go on, new ones are refused", async () => {
      const started = deferred();
      const gate = deferred();
      const link = await connect({
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
      const call = link.client(Test).echo({});
      await started.promise;
      let isDrained = false;
      const drained = link.drain().then(() => {
        isDrained = true;
      });
      const failure = await failureOf(link.client(Test).echo({}));
      expect(failure).toMatchObject({ code: Code.Unavailable });
      expect(failure.message).toContain("draining");
      expect(isDrained).toBe(false);
      gate.resolve();
      expect((await call).text).toBe("done");
      await drained;
    });

    test("that closes ends calls in flight, with the reason, at both sides", async () => {
      const started = deferred();
      const cancelled = deferred<Failure>();
      const link = await connect({
        plugin: [
          serving({
            async wait(_, context) {
              started.resolve();
              cancelled.resolve(await cancellationOf(context));
              return {};
            },
            async *count(_, context) {
              yield { index: 0 };
              await cancellationOf(context);
            },
          }),
        ],
      });
      const service = link.client(Test);
      const stream = service.count({})[Symbol.asyncIterator]();
      await stream.next();
      const calls = [service.wait({}), stream.next()].map(failureOf);
      await started.promise;
      link.close(error(Code.Aborted, "the user has had enough") as never);
      for (const failure of await Promise.all(calls)) {
        expect(failure.code).toBe(Code.Unavailable);
        expect(failure.message).toContain("the user has had enough");
      }
      expect((await cancelled.promise).code).toBe(Code.Unavailable);
      expect(await link.closed).toMatchObject({ code: Code.Aborted, message: "the user has had enough" });
      expect(await failureOf(service.echo({}))).toMatchObject({ code: Code.Unavailable });
      link.close();
    });

    test("can be closed twice, and drained when it is closed", async () => {
      const link = await connect({ plugin: [serving(echo)] });
      link.close();
      link.close();
      await link.drain();
      expect(await link.closed).toMatchObject({ code: Code.Unavailable });
    });
  });
}
