import { expect, test } from "@jest/globals";
import { Problems } from "../src/refusal.js";
import { type Service, servicesOf } from "../src/service.js";
import { nameStubs } from "../src/stub-names.js";
import { registryOf, schema } from "./compile.js";

async function services(body: string): Promise<Service[]> {
  const registry = await registryOf(schema(body));
  const file = registry.getFile("a/v1/a.proto");
  return file === undefined ? [] : servicesOf(file, registry, nameStubs(registry.files, new Problems()));
}

const messages = "message Request { string text = 1; } message Response { string text = 1; }";

test("a method's options are its own, else its service's, and a method can lift both", async () => {
  const [service] = await services(`
    import "anyplug/options/v1/options.proto";
    service ThingService {
      option (anyplug.options.v1.service).default_timeout_ms = 30000;
      option (anyplug.options.v1.service).required_capability = "thing.use";
      rpc Inherits(Request) returns (Response);
      rpc Says(Request) returns (Response) {
        option (anyplug.options.v1.method) = { default_timeout_ms: 5, idempotent: true, required_capability: "thing.own" };
      }
      rpc Lifts(Request) returns (Response) {
        option (anyplug.options.v1.method) = { default_timeout_ms: 0, required_capability: "" };
      }
    }
    ${messages}`);
  expect(
    service?.methods.map(({ defaultTimeoutMs, idempotent, requiredCapability }) => [
      defaultTimeoutMs,
      idempotent,
      requiredCapability,
    ]),
  ).toEqual([
    [30000, false, "thing.use"],
    [5, true, "thing.own"],
    [0, false, ""],
  ]);
});

test("a schema without the options has no timeout, no capability, and protobuf's own word on idempotence", async () => {
  const [service] = await services(`
    service ThingService {
      rpc Get(Request) returns (Response) { option idempotency_level = NO_SIDE_EFFECTS; }
      rpc Put(Request) returns (Response);
    }
    ${messages}`);
  expect(
    service?.methods.map(({ defaultTimeoutMs, idempotent, requiredCapability }) => [
      defaultTimeoutMs,
      idempotent,
      requiredCapability,
    ]),
  ).toEqual([
    [0, true, ""],
    [0, false, ""],
  ]);
});

test("comments come without their margin, above and beside, and nothing else of them is lost", async () => {
  const [service] = await services(`
    // The license of this file.

    // First line.
    //
    //   - indented
    service ThingService {
      rpc None(Request) returns (Response);
      /* Above. */
      rpc Both(Request) returns (Response); // Beside.
    }
    ${messages}`);
  expect(service?.comment).toEqual(["First line.", "", "  - indented"]);
  expect(service?.methods.map((method) => method.comment)).toEqual([[], ["Above.", "", "Beside."]]);
});
