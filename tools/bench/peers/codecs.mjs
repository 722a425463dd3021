/** Encoding and decoding of the message of 1.2 kB: anyplug's codec, JSON, protobuf-es and protobufjs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Order } from "@anyplug/generated/anyplug/bench/v1/bench.js";
import { createFileRegistry, fromBinary, fromJson, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import protobufjs from "protobufjs";
// What calls use is the core's own affair and has no name outside.
import { decodeMessage, encodeMessage } from "../../../packages/core/ts/dist/codec.js";
import { contender, operation } from "../ts/clock.mjs";

const root = join(import.meta.dirname, "..", "..", "..");
const schema = "anyplug.bench.v1.Order";

export function start() {
  const plain = JSON.parse(readFileSync(join(root, "tools", "bench", "order.json"), "utf8"));
  const json = JSON.stringify(plain);

  const ours = ourMessage(plain);
  const bytes = Order.encode(ours).finish();

  const files = readFileSync(join(root, "generated", "descriptors.binpb"));
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, files));
  const es = registry.getMessage(schema);
  const esMessage = fromJson(es, plain);

  const pbjs = protobufjs
    .parse(readFileSync(join(root, "proto", "anyplug", "bench", "v1", "bench.proto"), "utf8"), { keepCase: false })
    .root.lookupType(schema);
  const pbjsMessage = pbjs.decode(bytes);

  for (const [name, same] of [
    ["the core", encodeMessage(Order, ours)],
    ["protobuf-es", toBinary(es, esMessage)],
    ["protobufjs", pbjs.encode(pbjsMessage).finish()],
  ]) {
    if (same.length !== bytes.length) throw new Error(`${name} encodes ${same.length} bytes, not ${bytes.length}`);
  }

  const operations = {
    "anyplug/encode": () => encodeMessage(Order, ours),
    "anyplug/decode": () => decodeMessage(Order, bytes),
    "anyplug-alone/encode": () => Order.encode(ours).finish(),
    "anyplug-alone/decode": () => Order.decode(bytes),
    "json/encode": () => JSON.stringify(plain),
    "json/decode": () => JSON.parse(json),
    // JSON that is sent is bytes as well.
    "json-bytes/encode": () => Buffer.from(JSON.stringify(plain)),
    "json-bytes/decode": (
      (data) => () =>
        JSON.parse(data.toString())
    )(Buffer.from(json)),
    "protobuf-es/encode": () => toBinary(es, esMessage),
    "protobuf-es/decode": () => fromBinary(es, bytes),
    "protobufjs/encode": () => pbjs.encode(pbjsMessage).finish(),
    "protobufjs/decode": () => pbjs.decode(bytes),
    "copy/encode": () => bytes.slice(),
    "copy/decode": () => bytes.slice(),
  };
  const runs = Object.entries(operations).map(([name, run]) => [name, (ms) => operation(ms, run)]);
  return contender(Object.fromEntries(runs));
}

/** The message as a program makes it by the generated codecs. */
function ourMessage(plain) {
  return Order.fromPartial({
    id: plain.id,
    customer: plain.customer,
    createdMs: BigInt(plain.created_ms),
    lines: plain.lines.map((line) => ({
      sku: line.sku,
      name: line.name,
      quantity: line.quantity,
      priceCents: BigInt(line.price_cents),
      taxed: line.taxed,
      weight: line.weight,
    })),
    attributes: new Map(Object.entries(plain.attributes)),
    notes: plain.notes,
    quantities: plain.quantities,
    status: plain.status,
    reference: plain.reference,
  });
}
