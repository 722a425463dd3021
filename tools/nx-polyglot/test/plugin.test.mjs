import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";

const require = createRequire(import.meta.url);
const { inferTargets } = require("../plugin.cjs");
const { stringArray } = require("../toml.cjs");

let root;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "anyplug-nx-"));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

test("a manifest gives the targets of its language, and its members their inputs", () => {
  writeFileSync(join(root, "Cargo.toml"), '[workspace]\nmembers = [\n  "a/rust", # the first\n  "b/rust",\n]\n');
  const targets = inferTargets(root);
  expect(Object.keys(targets)).toEqual(
    expect.arrayContaining(["build-rust", "lint-clippy", "lint-rustfmt", "test-rust"]),
  );
  expect(Object.keys(targets)).not.toContain("test-python");
  expect(targets["lint-clippy"].inputs).toEqual(
    expect.arrayContaining(["{workspaceRoot}/a/rust/**/*.{rs,toml}", "{workspaceRoot}/b/rust/**/*.{rs,toml}"]),
  );
});

test("what TypeScript builds is restored from the cache: the dist of every project of the solution", () => {
  writeFileSync(join(root, "tsconfig.json"), '{"references":[{"path":"packages/core/ts"}]}');
  expect(inferTargets(root)["build-typescript"].outputs).toEqual(["{workspaceRoot}/packages/core/ts/dist"]);
});

test("a change in one language runs its own tests and those between languages, not those of the others", () => {
  for (const manifest of ["Cargo.toml", "pyproject.toml"]) writeFileSync(join(root, manifest), "");
  writeFileSync(join(root, "tsconfig.json"), '{"references":[]}');
  const targets = inferTargets(root);
  for (const language of ["rust", "python", "typescript"]) {
    expect(targets[`test-${language}`].inputs).toContain(language);
    expect(targets[`test-${language}`].inputs).not.toContain("everything");
    expect(targets[`test-${language}-between`].inputs).toContain("everything");
    expect(targets[`test-${language}-matrix`].inputs).toContain("everything");
  }
});

test("every test in TypeScript is in one step: those of a language, those between languages, the matrix", () => {
  writeFileSync(join(root, "tsconfig.json"), '{"references":[]}');
  const targets = inferTargets(root);
  const patterns = (name) => targets[name].command.split("jest.js ")[1].split(" --testPathIgnorePatterns ");
  const [chosen, ignored] = patterns("test-typescript-between");
  for (const path of chosen.split(" ")) {
    expect(targets["test-typescript"].command).toContain(`'<rootDir>/${path.slice("./".length)}'`);
  }
  expect(ignored).toContain("'<rootDir>/test/matrix/ts/matrix.test.ts'");
});

test("build, lint and test stand for all targets of their kind", () => {
  writeFileSync(join(root, "Cargo.toml"), "[workspace]\nmembers = []\n");
  writeFileSync(join(root, "pyproject.toml"), "");
  const { build, test: tests } = inferTargets(root);
  expect(build.dependsOn.sort()).toEqual([
    "build-instrumenter",
    "build-plugins",
    "build-python",
    "build-rust",
    "build-wasm",
  ]);
  expect(tests.dependsOn.sort()).toEqual(
    ["python", "rust"].flatMap((language) => ["", "-between", "-matrix"].map((part) => `test-${language}${part}`)),
  );
});

test("an array of strings is found in its own table only", () => {
  const toml = '[a]\nfiles = ["one"]\n[b.c]\nfiles = [\n  "two", # not "three"\n  \'four\'\n]\n';
  expect(stringArray(toml, "b.c", "files")).toEqual(["two", "four"]);
  expect(stringArray(toml, "a", "paths")).toEqual([]);
  expect(stringArray(toml, "d", "files")).toEqual([]);
});
