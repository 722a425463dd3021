/** Schemas of two sides: each rule of section 8 of docs/protocol.md, and when they are compared. */

import { Host, Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  type FieldDescriptorProto_Label,
  FileDescriptorSetSchema,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "@jest/globals";
import { Code } from "../src/code.js";
import { Connection } from "../src/connection.js";
import type { ServiceDescriptor } from "../src/descriptor.js";
import { checkCompatible, compareSchemas } from "../src/negotiation.js";
import { Router } from "../src/router.js";
import { mergeDescriptorSets, readSchema } from "../src/schema.js";
import { failureOf, hosting, serving } from "./behaviours.js";
import { memoryChannels } from "./memory.js";

interface Field {
  number?: number;
  type?: Type;
  typeName?: string;
  repeated?: boolean;
  oneof?: number;
}

interface Shape {
  methods?: Record<string, { input?: string; output?: string; clientStreaming?: boolean; serverStreaming?: boolean }>;
  request?: Record<string, Field>;
  nested?: Record<string, Field>;
}

/** A service "p.S" whose method "M" takes a "p.Request", which may hold a "p.Request.Nested". */
function schema({ methods = { M: {} }, request = {}, nested = {} }: Shape): Uint8Array {
  const fields = (shape: Record<string, Field>) =>
    Object.entries(shape).map(([name, { number = 1, type = Type.STRING, typeName = "", repeated = false, oneof }]) => ({
      name,
      number,
      type,
      typeName,
      label: (repeated ? 3 : 1) as FieldDescriptorProto_Label,
      ...(oneof === undefined ? {} : { oneofIndex: oneof }),
    }));
  const set = create(FileDescriptorSetSchema, {
    file: [
      {
        name: "p.proto",
        package: "p",
        messageType: [
          {
            name: "Request",
            field: fields(request),
            nestedType: [{ name: "Nested", field: fields(nested) }],
            oneofDecl: [{ name: "one" }, { name: "two" }],
          },
          { name: "Response" },
          { name: "Other" },
        ],
        service: [
          {
            name: "S",
            method: Object.entries(methods).map(([name, method]) => ({
              name,
              inputType: ".p.Request",
              outputType: ".p.Response",
              ...method,
              ...(method.input === undefined ? {} : { inputType: method.input }),
              ...(method.output === undefined ? {} : { outputType: method.output }),
            })),
          },
        ],
      },
    ],
  });
  return toBinary(FileDescriptorSetSchema, set);
}

function rules(caller: Shape, callee: Shape): string[] {
  return compareSchemas("p.S", schema(caller), schema(callee)).map(({ rule, subject }) => `${rule} ${subject}`);
}

describe("methods", () => {
  test("that the callee lacks are METHOD_REMOVED; those that the caller lacks are no difference", () => {
    const two = { methods: { M: {}, N: {} } };
    expect(rules(two, { methods: { M: {} } })).toEqual(["METHOD_REMOVED p.S/N"]);
    expect(rules({ methods: { M: {} } }, two)).toEqual([]);
  });

  test("that stream on one side only are METHOD_KIND", () => {
    const streaming = { methods: { M: { serverStreaming: true } } };
    expect(rules({}, streaming)).toEqual(["METHOD_KIND p.S/M"]);
    expect(rules({ methods: { M: { clientStreaming: true } } }, streaming)).toEqual(["METHOD_KIND p.S/M"]);
    expect(rules(streaming, streaming)).toEqual([]);
  });

  test("of messages with another name are METHOD_TYPE", () => {
    expect(rules({}, { methods: { M: { input: ".p.Other" } } })).toEqual(["METHOD_TYPE p.S/M"]);
    expect(rules({ methods: { M: { output: ".p.Other" } } }, {})).toEqual(["METHOD_TYPE p.S/M"]);
  });
});

describe("fields", () => {
  const compatible: Type[][] = [
    [Type.INT32, Type.INT64, Type.UINT32, Type.UINT64, Type.BOOL, Type.ENUM],
    [Type.SINT32, Type.SINT64],
    [Type.FIXED32, Type.SFIXED32],
    [Type.FIXED64, Type.SFIXED64],
    [Type.STRING, Type.BYTES],
    [Type.FLOAT],
    [Type.DOUBLE],
    [Type.MESSAGE],
  ];

  test("of types with one encoding are compatible, all others are FIELD_TYPE", () => {
    for (const [index, group] of compatible.entries()) {
      for (const [other, otherGroup] of compatible.entries()) {
        for (const type of group) {
          for (const otherType of otherGroup) {
            const found = rules({ request: { f: { type } } }, { request: { f: { type: otherType } } });
            expect(found).toEqual(index === other ? [] : ["FIELD_TYPE p.Request.f (field 1)"]);
          }
        }
      }
    }
  });

  test("are known by their numbers: other names, added and removed ones are no difference", () => {
    expect(rules({ request: { a: {}, x: { number: 2 } } }, { request: { b: {}, y: { number: 3 } } })).toEqual([]);
  });

  test("that are repeated on one side only are FIELD_CARDINALITY", () => {
    const found = rules({ request: { f: { repeated: true } } }, { request: { f: {} } });
    expect(found).toEqual(["FIELD_CARDINALITY p.Request.f (field 1)"]);
  });

  test("that share a oneof on one side only are FIELD_ONEOF", () => {
    const together = { request: { a: { oneof: 0 }, b: { number: 2, oneof: 0 } } };
    const apart = { request: { a: { oneof: 0 }, b: { number: 2, oneof: 1 } } };
    const loose = { request: { a: {}, b: { number: 2 } } };
    const difference = ["FIELD_ONEOF p.Request.a and b (fields 1 and 2)"];
    expect(rules(together, apart)).toEqual(difference);
    expect(rules(loose, together)).toEqual(difference);
    expect(rules(together, together)).toEqual([]);
    expect(rules(apart, loose)).toEqual([]);
    expect(rules(together, { request: { a: { oneof: 0 } } })).toEqual([]);
  });

  test("that are messages are compared by their fields, however deep, and also where they hold themselves", () => {
    const request = { f: { type: Type.MESSAGE, typeName: ".p.Request.Nested" } };
    const nested = (type: Type) => ({
      self: { number: 9, type: Type.MESSAGE, typeName: ".p.Request.Nested" },
      n: { type },
    });
    expect(rules({ request, nested: nested(Type.INT32) }, { request, nested: nested(Type.STRING) })).toEqual([
      "FIELD_TYPE p.Request.Nested.n (field 1)",
    ]);
    const renamed = { request: { f: { type: Type.MESSAGE, typeName: ".p.Other" } } };
    expect(rules({ request, nested: nested(Type.INT32) }, renamed)).toEqual([]);
  });
});

describe("the error", () => {
  test("names rules, fields and both sides, and counts the rest", () => {
    const many = (type: Type) => ({
      request: Object.fromEntries(Array.from({ length: 7 }, (_, index) => [`f${index}`, { number: index + 1, type }])),
    });
    const check = () => checkCompatible("p.S", schema(many(Type.INT32)), schema(many(Type.STRING)));
    expect(check).toThrow("FIELD_TYPE p.Request.f0 (field 1): int32 at the caller, string at the callee;");
    expect(check).toThrow("and 2 more");
    expect(check).toThrow("generate both sides from one schema");
  });

  test("says what is wrong with a set", () => {
    const good = schema({});
    expect(() => checkCompatible("p.S", Uint8Array.of(0xff), good)).toThrow(
      "the descriptors of the caller cannot be parsed",
    );
    expect(() => checkCompatible("p.T", good, good)).toThrow("lack the service p.T");
  });
});

describe("descriptor sets", () => {
  test("of generated code are read, and merged without a file twice", () => {
    const both = mergeDescriptorSets([Test.descriptorSet(), Host.descriptorSet()]);
    const { services, messages } = readSchema(both);
    for (const { name, methods } of [Test, Host]) {
      expect(services.get(name)?.map((method) => method.name)).toEqual(methods.map((method) => method.name));
    }
    expect(messages.get("anyplug.test.v1.Everything.Nested")?.length).toBe(1);
    expect(both.length).toBeLessThan(Test.descriptorSet().length + Host.descriptorSet().length);
    expect(mergeDescriptorSets([both])).toEqual(both);
    expect(compareSchemas(Test.name, both, Test.descriptorSet())).toEqual([]);
  });
});

/** The same service as another build of its schema would have it. */
function rebuilt(service: ServiceDescriptor, descriptorSet = service.descriptorSet()): ServiceDescriptor {
  const copy = { ...service, fingerprint: "0".repeat(32), descriptorSet: () => descriptorSet };
  return { ...copy, methods: service.methods.map((method) => ({ ...method, service: copy })) };
}

/** A schema of that service in which nothing is as it was. */
function broken(service: ServiceDescriptor): Uint8Array {
  const [scope = "", name = ""] = service.name.split(/\.(?=[^.]*$)/);
  const file = [{ name: "other.proto", package: scope, service: [{ name }] }];
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
}

describe("connections compare", () => {
  function connect(plugin: ServiceDescriptor, uses: readonly ServiceDescriptor[] = []): Connection {
    const [one, other] = memoryChannels();
    const described: string[][] = [];
    new Connection(other, {
      role: "plugin",
      name: "test-plugin",
      version: "1",
      router: new Router({
        services: [{ service: plugin, handler: { echo: ({ text }: { text: string }) => ({ text }) } }],
        uses,
        grants: "all",
      }),
    });
    expect(described).toEqual([]);
    const router = new Router({ services: [hosting({ ask: () => ({}) })] });
    return new Connection(one, { role: "host", name: "test-host", version: "1", router });
  }

  test("nothing when the fingerprints are equal: no descriptors are fetched", async () => {
    const unreadable = { ...Test, descriptorSet: () => Uint8Array.of(0xff) };
    const host = connect(unreadable);
    await host.negotiate(Test);
    expect((await host.client(Test).echo({ text: "hi" })).text).toBe("hi");
  });

  test("descriptors when they differ, once", async () => {
    let asked = 0;
    const other = rebuilt(Test);
    const counted = {
      ...other,
      descriptorSet() {
        asked += 1;
        return other.descriptorSet();
      },
    };
    const host = connect(counted);
    const client = host.client(Test);
    await Promise.all([client.echo({}), client.echo({}), host.negotiate(Test)]);
    await client.echo({});
    expect(asked).toBe(1);
  });

  test("and refuse what is not compatible, each time, with the rule", async () => {
    const host = connect(rebuilt(Test, broken(Test)));
    for (const promise of [host.negotiate(Test), host.client(Test).echo({})]) {
      expect(await failureOf(promise)).toMatchObject({
        code: Code.FailedPrecondition,
        message: expect.stringContaining("METHOD_REMOVED anyplug.test.v1.TestService/Echo"),
      });
    }
  });

  test("what the plugin uses with what the host serves", async () => {
    await connect(Test, [Host]).negotiateUses();
    await connect(Test, [rebuilt(Host)]).negotiateUses();
    await connect(Test, [rebuilt(Test, broken(Test))]).negotiateUses();
    const removed = connect(Test, [rebuilt(Host, broken(Test))]);
    expect((await failureOf(removed.negotiateUses())).message).toContain(
      "lack the service anyplug.test.v1.HostService",
    );
  });

  test("services that the peer lacks are named with those that it has", async () => {
    const failure = await failureOf(connect(Test).negotiate(Host));
    expect(failure).toMatchObject({ code: Code.Unimplemented });
    expect(failure.message).toBe(
      '"test-plugin" does not serve anyplug.test.v1.HostService; it serves anyplug.test.v1.TestService',
    );
  });

  test("by a reflection service that knows what is served and what is used, and nothing else", async () => {
    const router = new Router({ services: [serving({})], uses: [Host] });
    const ask = (services: string[]) => {
      const [route] = router.routes;
      const answer = route?.call.call(route.handler, { services }, undefined as never) as {
        fileDescriptorSet: Uint8Array;
      };
      return [...readSchema(answer.fileDescriptorSet).services.keys()];
    };
    expect(ask([])).toContain(Test.name);
    expect(ask([Host.name])).toContain(Host.name);
    const message = "x.Y is neither served nor used here";
    expect(() => ask(["x.Y"])).toThrow(expect.objectContaining({ code: Code.NotFound, message }));
  });
});
