import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { interpreter } from "../src/interpreter.js";

const folder = mkdtempSync(join(tmpdir(), "interpreter-"));
const plugin = join(folder, "plugins", "x");
const venv = join(folder, ".venv", "bin");
mkdirSync(plugin, { recursive: true });

describe("the Python of a plugin", () => {
  test("is python3 on PATH when nothing else is named", () => {
    expect(interpreter("python", plugin, {}, {})).toBe("python3");
  });

  test("is the nearest .venv above the plugin's folder", () => {
    mkdirSync(venv, { recursive: true });
    writeFileSync(join(venv, "python"), "");
    chmodSync(join(venv, "python"), 0o755);
    expect(interpreter("python3", plugin, {}, {})).toBe(join(venv, "python"));
  });

  test("is the one of the active environment before that, and the named ones before both", () => {
    expect(interpreter("python", plugin, {}, { VIRTUAL_ENV: "/v" })).toBe("/v/bin/python");
    expect(interpreter("python", plugin, {}, { VIRTUAL_ENV: "/v", ANYPLUG_PYTHON: "/a/python" })).toBe("/a/python");
    expect(interpreter("python", plugin, { python: "/o/python" }, { ANYPLUG_PYTHON: "/a/python" })).toBe("/o/python");
  });
});

test("a plugin for Node runs in the Node of its host", () => {
  expect(interpreter("node", plugin, {}, {})).toBe(process.execPath);
});

test("any other program is left as it is", () => {
  expect(interpreter("./bin/x", plugin, {}, { ANYPLUG_PYTHON: "/a" })).toBe("./bin/x");
});
