/** JSON of both languages: the same bytes, the same text, the same words of refusal. Python's is the Rust one. */

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { JsonTypes } from "@anyplug/json";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";

// What is generated is the same in each run, unless it is given another seed.
fc.configureGlobal({ seed: Number(process.env["ANYPLUG_SEED"] ?? 1) });

interface Question {
  readonly type: string;
  readonly json?: string;
  readonly bytes?: string;
  readonly ignoreUnknownMembers?: boolean;
  readonly protoFieldNames?: boolean;
  readonly printDefaults?: boolean;
  readonly enumsAsIntegers?: boolean;
}

interface Answer {
  readonly bytes?: string;
  readonly json?: string;
  readonly error?: string;
}

const descriptors = fileURLToPath(new URL("../../generated/descriptors.binpb", import.meta.url));
const program = fileURLToPath(new URL("../../target/fast/examples/json_driver", import.meta.url));
const types = new JsonTypes([readFileSync(descriptors)]);

function typescript(question: Question): Answer {
  try {
    if (question.json === undefined) {
      return { json: types.bytesToJson(question.type, Buffer.from(question.bytes ?? "", "hex"), question) };
    }
    return { bytes: Buffer.from(types.jsonToBytes(question.type, question.json, question)).toString("hex") };
  } catch (error) {
    return { error: String(error) };
  }
}

/** What is wrong with bytes each implementation tells in words of its own. */
function comparable(answer: Answer): Answer {
  return answer.error === undefined
    ? answer
    : { error: answer.error.replace(/(the bytes are not those of [^:]*): .*/s, "$1") };
}

const fields =
  readFileSync(new URL("../../proto/anyplug/test/v1/test.proto", import.meta.url), "utf8")
    .split("message EchoRequest")[0]
    ?.match(/\w+(?= = \d+)/g) ?? [];
const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

const digits = fc.stringMatching(/^-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,12})?(e[+-]?[0-9]{1,3})?$/);
const leaf = fc.oneof(
  digits,
  digits.map((text) => `"${text}"`),
  fc.constantFrom(
    "null",
    "true",
    "false",
    '"COLOR_RED"',
    '"NULL_VALUE"',
    '"NaN"',
    '"-Infinity"',
    '"1.5s"',
    '"a,bC"',
    '"1"',
  ),
  fc.date({ noInvalidDate: true }).map((date) => JSON.stringify(date)),
  fc.stringMatching(/^-?[0-9]{1,13}\.[0-9]{1,9}s$/).map((text) => `"${text}"`),
  fc.base64String().map((text) => `"${text}"`),
  fc.string({ unit: "grapheme" }).map((text) => JSON.stringify(text)),
  fc.string({ unit: "binary" }).map((text) => JSON.stringify(text)),
);
const memberName = fc.oneof(
  fc.constantFrom(...fields, ...fields.map(camel)),
  fc.constantFrom("@type", "value", "1", "true"),
  fc.string({ maxLength: 4 }),
);
const text = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 3 }).map((elements) => `[${elements.join(",")}]`),
    fc
      .array(fc.tuple(memberName, tie("value")), { maxLength: 4 })
      .map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}: ${value}`).join(",")}}`),
    fc
      .tuple(fc.constantFrom("Any", "Struct", "Value", "ListValue", "Duration", "Int64Value", "Empty"), tie("value"))
      .map(([name, value]) => `{"@type":"x/google.protobuf.${name}","value":${value}}`),
  ),
})).value;
const object = fc
  .array(fc.tuple(memberName, text), { minLength: 1, maxLength: 4 })
  .map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`);
const edited = fc
  .tuple(object, fc.nat(), fc.string({ maxLength: 2 }))
  .map(([json, at, more]) => json.slice(0, at % json.length) + more + json.slice((at % json.length) + more.length));

const typeNames = [
  "Timestamp",
  "Duration",
  "FieldMask",
  "Struct",
  "Value",
  "ListValue",
  "Any",
  "DoubleValue",
  "FloatValue",
  "BytesValue",
];
const type = fc.oneof(
  { weight: 4, arbitrary: fc.constant("anyplug.test.v1.Everything") },
  { weight: 1, arbitrary: fc.constantFrom(...typeNames.map((name) => `google.protobuf.${name}`)) },
);
/** What is one string in both: half characters have no UTF-8. */
const isText = (json: string) => !/\p{Surrogate}/u.test(json);
const reading = fc.record<Question>({
  type,
  json: fc
    .oneof({ weight: 3, arbitrary: object }, { weight: 1, arbitrary: edited }, { weight: 1, arbitrary: text })
    .filter(isText),
  ignoreUnknownMembers: fc.boolean(),
});

const options = { protoFieldNames: fc.boolean(), printDefaults: fc.boolean(), enumsAsIntegers: fc.boolean() };
const scalars = fc.oneof(
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => `09${Buffer.from(bytes).toString("hex")}`),
  fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => `15${Buffer.from(bytes).toString("hex")}`),
  fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString("hex")),
);
const writing = fc.record<Question>({
  type,
  bytes: fc.array(scalars, { maxLength: 3 }).map((all) => all.join("")),
  ...options,
});

describe("typescript and rust", () => {
  let child: ChildProcess;
  let closed: Promise<unknown>;
  const waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = [];

  beforeAll(() => {
    child = spawn(program, [descriptors], { stdio: ["pipe", "pipe", "inherit"] });
    closed = new Promise((resolve) => child.once("close", resolve));
    child.stdin?.on("error", fail);
    child.once("error", fail);
    child.once("exit", (status) => fail(new Error(`the driver ended: status ${status}`)));
    if (child.stdout === null) throw new Error("the driver has no output");
    createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.resolve(JSON.parse(line) as Answer));
  });
  afterAll(async () => {
    child.stdin?.end();
    await closed;
  });

  let failure: Error | undefined;
  function fail(error: Error): void {
    failure = error;
    for (const { reject } of waiting.splice(0)) reject(error);
  }

  function rust(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (failure !== undefined) return reject(failure);
      waiting.push({ resolve, reject });
      child.stdin?.write(`${JSON.stringify(question)}\n`);
    });
  }

  async function agree(question: Question): Promise<Answer> {
    const answer = comparable(typescript(question));
    expect(comparable(await rust(question))).toEqual(answer);
    return answer;
  }

  test("agree on what JSON means, and on what it is written as again", async () => {
    await fc.assert(
      fc.asyncProperty(reading, fc.record(options), async (question, write) => {
        const { bytes } = await agree(question);
        if (bytes !== undefined) await agree({ type: question.type, bytes, ...write });
      }),
      { numRuns: 3000 },
    );
  });

  test("agree on what bytes are written as", async () => {
    await fc.assert(
      fc.asyncProperty(writing, async (question) => {
        const { json } = await agree(question);
        if (json !== undefined && !question.protoFieldNames) await agree({ type: question.type, json });
      }),
      { numRuns: 3000 },
    );
  });
});
