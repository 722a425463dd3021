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
  - { local: ${join(root, "target/fast/protoc-gen-prost")}, out: rust/src/packages, strategy: all }
  - { local: ${plugin}, out: rust/src/packages, strategy: all, opt: "target=rust,core=::anyplug_core::codegen::v1" }
  - { local: ${plugin}, out: python/gen, strategy: all, opt: target=python }
`;

beforeAll(async () => {
  write({ "buf.gen.yaml": template });
  const input = join(import.meta.dirname, "hostile");
  expect(await complaints(join(root, "node_modules/.bin/buf"), ["generate", input], folder)).toBe("");
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
    "rust/src/lib.rs": "#![deny(warnings)]\n//! Generated.\nmod packages;\npub use packages::*;\n",
  });
  write({ "rust/Cargo.lock": readFileSync(join(root, "Cargo.lock"), "utf8") });
  const env = { CARGO_TARGET_DIR: join(root, "target"), RUSTDOCFLAGS: "-D warnings" };
  const cargo = (...args: string[]) => complaints("cargo", [...args, "--profile", "fast"], join(folder, "rust"), env);
  expect(await cargo("check")).toBe("");
  expect(await cargo("doc", "--no-deps")).toBe("");
}, 300_000);
