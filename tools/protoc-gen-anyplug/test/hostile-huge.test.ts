/** A schema of a thousand messages is generated for each language, and its Python imported and used. What it takes is said by `npm run bench -- --only codegen`. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import { generated, root } from "./compile.js";
import { hugeSchema } from "./huge.mjs";

const run = promisify(execFile);
const schema = hugeSchema(1000);

test("a thousand messages are generated for TypeScript and Rust", async () => {
  const typescript = await generated(schema, "target=ts");
  expect([typescript.error, typescript.files.size]).toEqual([undefined, 20]);
  expect(typescript.files.get("huge/v1/part9.ts")).toContain("export interface Message999 {");
  const rust = await generated(schema, "target=rust");
  expect([rust.error, [...rust.files.keys()].includes("huge/v1/services.rs")]).toEqual([undefined, true]);
}, 600_000);

test("a thousand messages are generated for Python, imported and used", async () => {
  const { error, files } = await generated(schema, "target=python");
  expect(error).toBeUndefined();
  mkdirSync(join(root, ".cache"), { recursive: true });
  const folder = mkdtempSync(join(root, ".cache/huge-"));
  try {
    for (const [name, content] of files) {
      mkdirSync(join(folder, "generated", dirname(name)), { recursive: true });
      writeFileSync(join(folder, "generated", name), content);
    }
    const program = `import dataclasses
from generated.huge.v1 import Message998, Message999, Kind990
message = Message999(previous=Message998(text="deep"), kind=Kind990.ONE)
print(Message999.parse(bytes(message)) == message, repr(message), len(dataclasses.fields(message)))`;
    const env = { ...process.env, PYTHONPATH: join(root, "packages/python/python") };
    const { stdout } = await run(join(root, ".venv/bin/python"), ["-c", program], { cwd: folder, env });
    expect(stdout).toBe("True Message999(previous=Message998(text='deep'), kind=<Kind990.ONE: 1>) 15\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 600_000);
