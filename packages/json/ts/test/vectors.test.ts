/** Runs test/vectors/json: what every language makes of the same JSON. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AnyplugError } from "@anyplug/core";
import { expect, test } from "@jest/globals";
import type { JsonReadOptions, JsonWriteOptions } from "../src/options.js";
import { JsonTypes } from "../src/types.js";

interface Vector {
  readonly name: string;
  readonly type?: string;
  readonly json?: string;
  readonly read?: JsonReadOptions;
  readonly bytes?: string;
  readonly write?: JsonWriteOptions;
  readonly out?: string;
  readonly error?: string;
}

const root = join(import.meta.dirname, "../../../..");
const types = new JsonTypes([readFileSync(join(root, "generated/descriptors.binpb"))]);

function vectors(file: string): Vector[] {
  return JSON.parse(readFileSync(join(root, "test/vectors/json", file), "utf8"));
}

function typeOf({ type = "anyplug.test.v1.Everything" }: Vector): string {
  return type;
}

test.each(vectors("messages.json"))("$name", (vector) => {
  const bytes = Buffer.from(vector.bytes ?? "", "hex");
  if (vector.json !== undefined) {
    expect(Buffer.from(types.jsonToBytes(typeOf(vector), vector.json, vector.read)).toString("hex")).toBe(vector.bytes);
  }
  expect(types.bytesToJson(typeOf(vector), bytes, vector.write)).toBe(vector.out ?? vector.json);
});

test.each(vectors("refused.json"))("refused: $name", (vector) => {
  const error = String(errorOf(vector));
  if (vector.json === undefined) expect(error.slice(0, vector.error?.length)).toBe(vector.error);
  else expect(error).toBe(vector.error);
});

function errorOf(vector: Vector): unknown {
  try {
    if (vector.json !== undefined) types.jsonToBytes(typeOf(vector), vector.json, vector.read);
    else types.bytesToJson(typeOf(vector), Buffer.from(vector.bytes ?? "", "hex"));
  } catch (error) {
    expect(error).toBeInstanceOf(AnyplugError);
    return error;
  }
  return "it was not refused";
}
