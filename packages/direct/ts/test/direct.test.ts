/** Calls over the direct transport: the behaviours of every transport, and what only this one does. */

import { AnyplugError, type Link, Router } from "@anyplug/core";
import type { ServiceDescriptor } from "@anyplug/core/codegen/v1";
import { EchoRequest } from "@anyplug/generated/anyplug/test/v1/test.js";
import { Host, Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { describe, expect, test } from "@jest/globals";
import { behaviours, failureOf, hosting, type Setup, serving } from "../../../core/ts/test/behaviours.js";
import { connectDirect } from "../src/index.js";

async function connect(setup: Setup, uses: readonly ServiceDescriptor[] = []): Promise<Link> {
  const { grants, onError, onLog, config } = setup;
  return connectDirect({
    host: {
      name: "test-host",
      version: "1.0.0",
      router: new Router({ services: setup.host, grants, onError }),
    },
    plugin: {
      name: "test-plugin",
      version: "1.0.0",
      router: new Router({ services: setup.plugin, uses, grants: "all", onError, config }),
    },
    onLog,
  });
}

describe("as every transport", () => {
  behaviours({ connect, error: (...parts: ConstructorParameters<typeof AnyplugError>) => new AnyplugError(...parts) });
});

/** The same service as another build of its schema would have it. */
function rebuilt(service: ServiceDescriptor, change: Partial<ServiceDescriptor>): ServiceDescriptor {
  const copy = { ...service, ...change };
  return { ...copy, methods: service.methods.map((method) => ({ ...method, service: copy })) };
}

describe("schemas of two builds", () => {
  test("that are compatible work together: messages go through their encoding", async () => {
    const other = rebuilt(Test, { fingerprint: "0".repeat(32) });
    const decoded: unknown[] = [];
    const [echo, ...methods] = other.methods;
    const input = {
      encode: EchoRequest.encode,
      fromPartial: EchoRequest.fromPartial,
      decode(...bytes: Parameters<typeof EchoRequest.decode>) {
        const message = EchoRequest.decode(...bytes);
        decoded.push(message.text);
        return message;
      },
    };
    const service = { ...other, methods: [{ ...echo, input }, ...methods] } as unknown as ServiceDescriptor;
    const link = await connect({ plugin: [{ service, handler: { echo: ({ text }: EchoRequest) => ({ text }) } }] });
    expect((await link.client(Test).echo({ text: "hi" })).text).toBe("hi");
    expect(decoded).toEqual(["hi"]);
  });

  test("that are not compatible are refused, when asked and at the first call", async () => {
    const other = rebuilt(Test, { fingerprint: "0".repeat(32), descriptorSet: () => Host.descriptorSet().slice(0, 0) });
    const link = await connect({ plugin: [{ service: other, handler: {} }] });
    for (const promise of [link.negotiate(Test), link.client(Test).echo({})]) {
      expect((await failureOf(promise)).message).toContain("lack the service anyplug.test.v1.TestService");
    }
  });

  test("of what a plugin uses are compared with what the host serves", async () => {
    const used = rebuilt(Host, { fingerprint: "0".repeat(32), descriptorSet: () => new Uint8Array() });
    const host = [hosting({ ask: () => ({}) })];
    await (await connect({ host, plugin: [serving({})] }, [Host])).negotiateUses();
    await (await connect({ plugin: [serving({})] }, [used])).negotiateUses();
    const link = await connect({ host, plugin: [serving({})] }, [used]);
    expect((await failureOf(link.negotiateUses())).message).toContain("HostService");
  });
});
