/** A schema full of names that mean something in one language or another: what is generated compiles in all three. */
import { type ExecFileException, execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { root } from "./compile.js";

mkdirSync(join(root, ".cache"), { recursive: true });
const folder = mkdtempSync(join(root, ".cache/hostile-"));

/** Runs a program and returns what it printed if it failed, else nothing. */
function complaints(program: string, args: string[], cwd: string, env: Record<string, string> = {}): Promise<string> {
  const path = `${join(root, ".venv/bin")}:${process.env["PATH"]}`;
  return new Promise((resolve) => {
    const done = (error: ExecFileException | null, stdout: string, stderr: string) =>
      resolve(error === null ? "" : `${error.message}\n${stdout}\n${stderr}`);
    execFile(program, args, { cwd, env: { ...process.env, PATH: path, ...env } }, done);
  });
}

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

const plugin = `[node, ${join(root, "tools/protoc-gen-anyplug/dist/main.js")}]`;
const template = `version: v2
plugins:
  - { local: ${plugin}, out: ts/src, strategy: all, opt: target=ts }
  - { local: ${plugin}, out: rust/src/packages, strategy: all, opt: "target=rust,core=::anyplug_core::codegen::v1" }
  - { local: ${plugin}, out: python/gen, strategy: all, opt: target=python }
`;

/** Names that only Rust would have twice; messages with and without a place for unknown fields. */
const rustTemplate = `version: v2
plugins:
  - { local: ${plugin}, out: rust/src/twice, strategy: all, opt: "target=rust,core=::anyplug_core::codegen::v1,keep_unknown_fields=.a.B" }
`;

beforeAll(async () => {
  write({ "buf.gen.yaml": template, "rust.gen.yaml": rustTemplate });
  const input = (name: string) => join(import.meta.dirname, name);
  const buf = join(root, "node_modules/.bin/buf");
  expect(await complaints(buf, ["generate", input("hostile")], folder)).toBe("");
  const args = ["generate", input("hostile-rust"), "--template", "rust.gen.yaml"];
  expect(await complaints(buf, args, folder)).toBe("");
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the TypeScript compiles under strict checks", async () => {
  write({
    "ts/package.json": '{ "type": "module" }',
    "ts/tsconfig.json": JSON.stringify({
      extends: join(root, "tsconfig.base.json"),
      compilerOptions: { composite: false, declaration: false, declarationMap: false, noEmit: true, sourceMap: false },
      include: ["src"],
    }),
  });
  expect(await complaints(join(root, "node_modules/.bin/tsc"), ["-p", "."], join(folder, "ts"))).toBe("");
}, 60_000);

test("messages that are called like parts of TypeScript come back as they were", async () => {
  write({
    "ts/emit.json": JSON.stringify({
      extends: "./tsconfig.json",
      compilerOptions: { noEmit: false, rootDir: "src", outDir: "out" },
    }),
    "ts/use.mjs": `
      import assert from "node:assert";
      import { Everything, Number as Numbers } from "./out/types.js";
      const part = { again: { list: ["a"] }, list: ["b", ""], data: Uint8Array.of(1, 2) };
      const numbered = Object.keys(Everything.create()).filter((name) => name.startsWith("field"));
      assert(numbered.length > 40);
      const given = Everything.fromPartial({
        ...Object.fromEntries(numbered.map((name) => [name, part])),
        maps: new Map([["__proto__", part], ["", {}]]),
        blobs: new Map([[-1n, Uint8Array.of(9)], [0n, new Uint8Array(0)]]),
        arrays: [part, {}],
        numbers: [0, "-9223372036854775808", 9223372036854775807n],
        number: Numbers.NUMBER_ONE,
        real: -0,
        json: JSON.parse('{"__proto__": [1, "x", null, {"y": true}]}'),
        time: { seconds: -1, nanos: 999999999 },
        message: { $case: "one", one: part },
      });
      const back = Everything.decode(Everything.encode(given).finish());
      assert.deepStrictEqual(back, given);
      assert(Object.is(back.real, -0));
      assert.deepStrictEqual(JSON.stringify(back.json), '{"__proto__":[1,"x",null,{"y":true}]}');
      assert.throws(() => Everything.encode(Everything.fromPartial({ numbers: [2n ** 63n] })), /numbers: 9223372036854775808 does not fit/);
    `,
  });
  expect(await complaints(join(root, "node_modules/.bin/tsc"), ["-p", "emit.json"], join(folder, "ts"))).toBe("");
  expect(await complaints("node", ["use.mjs"], join(folder, "ts"))).toBe("");
}, 60_000);

test("the Python passes mypy's strict checks", async () => {
  write({ "python/mypy.ini": "[mypy]\nstrict = true\nwarn_unreachable = true\n" });
  const env = { MYPYPATH: join(root, "packages/python/python") };
  expect(await complaints("mypy", ["-p", "gen"], join(folder, "python"), env)).toBe("");
}, 120_000);

test("the Rust compiles without a warning, and so does its documentation", async () => {
  const core = join(root, "packages/core/rust");
  write({
    "rust/Cargo.toml": `[package]
name = "hostile"
version = "0.1.0"
edition = "2024"
[dependencies]
anyplug-core = { path = ${JSON.stringify(core)} }
prost = "0.14"
prost-types = "0.14"
[profile.fast]
inherits = "release"
codegen-units = 16
[workspace]
`,
    "rust/src/lib.rs": "#![deny(warnings)]\n//! Generated.\nmod packages;\npub mod twice;\npub use packages::*;\n",
  });
  write({ "rust/Cargo.lock": readFileSync(join(root, "Cargo.lock"), "utf8") });
  const env = { CARGO_TARGET_DIR: join(root, "target"), RUSTDOCFLAGS: "-D warnings" };
  const cargo = (...args: string[]) => complaints("cargo", [...args, "--profile", "fast"], join(folder, "rust"), env);
  expect(await cargo("check")).toBe("");
  expect(await cargo("doc", "--no-deps")).toBe("");
}, 300_000);
