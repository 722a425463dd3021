/**
 * Encoding and decoding of the message of 1.2 kB: anyplug's codec, JSON, protobuf-es and protobufjs. One of them a process: what is compiled for several shapes of objects is
 * slower for each.
 */
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
const encodedBytes = 1_106;

/** What each makes of the message: the two operations. Only what the chosen one needs is loaded and called. */
const contenders = {
  anyplug(plain) {
    const message = ourMessage(plain);
    const bytes = checked(encodeMessage(Order, message));
    return { encode: () => encodeMessage(Order, message), decode: () => decodeMessage(Order, bytes) };
  },
  "anyplug-alone"(plain) {
    const message = ourMessage(plain);
    const bytes = checked(Order.encode(message).finish());
    return { encode: () => Order.encode(message).finish(), decode: () => Order.decode(bytes) };
  },
  json(plain) {
    const json = JSON.stringify(plain);
    return { encode: () => JSON.stringify(plain), decode: () => JSON.parse(json) };
  },
  // JSON that is sent is bytes as well.
  "json-bytes"(plain) {
    const bytes = Buffer.from(JSON.stringify(plain));
    return { encode: () => Buffer.from(JSON.stringify(plain)), decode: () => JSON.parse(bytes.toString()) };
  },
  "protobuf-es"(plain) {
    const files = readFileSync(join(root, "generated", "descriptors.binpb"));
    const order = createFileRegistry(fromBinary(FileDescriptorSetSchema, files)).getMessage(schema);
    const message = fromJson(order, plain);
    const bytes = checked(toBinary(order, message));
    return { encode: () => toBinary(order, message), decode: () => fromBinary(order, bytes) };
  },
  protobufjs(plain) {
    const source = readFileSync(join(root, "proto", "anyplug", "bench", "v1", "bench.proto"), "utf8");
    const order = protobufjs.parse(source, { keepCase: true }).root.lookupType(schema);
    const message = order.fromObject(plain);
    const bytes = checked(order.encode(message).finish());
    return { encode: () => order.encode(message).finish(), decode: () => order.decode(bytes) };
  },
  copy(plain) {
    const bytes = checked(encodeMessage(Order, ourMessage(plain)));
    return { encode: () => bytes.slice(), decode: () => bytes.slice() };
  },
};

export function start(how) {
  const { encode, decode } = contenders[how](
    JSON.parse(readFileSync(join(root, "tools", "bench", "order.json"), "utf8")),
  );
  return contender({ encode: (ms) => operation(ms, encode), decode: (ms) => operation(ms, decode) });
}

/** Returns the encoding; all of them have one length. */
function checked(bytes) {
  if (bytes.length !== encodedBytes) throw new Error(`it encodes ${bytes.length} bytes, not ${encodedBytes}`);
  return bytes;
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
