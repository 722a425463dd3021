import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { differences, replace } from "../trees.mjs";

let folder;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "trees-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function tree(name, files) {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name, file)), { recursive: true });
    writeFileSync(join(folder, name, file), text);
  }
  return join(folder, name);
}

test("a tree that differs is told file by file, and what Python compiled there is none of it", () => {
  const expected = tree("expected", { "a/same": "1", "a/differs": "1", missing: "1" });
  const actual = tree("actual", { "a/same": "1", "a/differs": "2", "b/stale": "1", "a/__pycache__/x.pyc": "1" });
  expect(differences(expected, actual)).toEqual([
    { what: "differs", file: "a/differs" },
    { what: "missing", file: "missing" },
    { what: "stale", file: "b/stale" },
  ]);
});

test("a tree is replaced, and files that were equal keep their time", () => {
  const source = tree("source", { "a/same": "1", "a/differs": "1", missing: "1" });
  const target = tree("target", { "a/same": "1", "a/differs": "2", "b/stale": "1" });
  utimesSync(join(target, "a/same"), 1000, 1000);
  expect(replace(source, target)).toBe(3);
  expect(differences(source, target)).toEqual([]);
  expect(statSync(join(target, "a/same")).mtimeMs).toBe(1_000_000);
  expect(replace(source, target)).toBe(0);
});

test("a single file is a tree as well", () => {
  const source = tree("", { "new.bin": "2", "old.bin": "1" });
  expect(replace(join(source, "new.bin"), join(source, "old.bin"))).toBe(1);
  expect(replace(join(source, "new.bin"), join(source, "fresh/there.bin"))).toBe(1);
  expect(differences(join(source, "new.bin"), join(source, "old.bin"))).toEqual([]);
});
