import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { checkPrerequisites, explainMissing } from "../prerequisites.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");
let bin;

beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), "anyplug-bin-"));
});

afterEach(() => rmSync(bin, { recursive: true, force: true }));

/** Puts a program on the PATH that the tests give. */
function program(name, script = "exit 0", folder = bin) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
}

function missing(nodeVersion = "20.11.0", env = {}) {
  return checkPrerequisites({ nodeVersion, env: { PATH: bin, HOME: bin, ...env } }).missing;
}

test("everything that is missing is named at once, with how to get it", () => {
  const text = explainMissing(missing("16.20.2"));
  expect(text).toMatch(/Node 20\.11 or newer \(this is 16\.20\.2\)/);
  for (const what of ["npm", "Python 3.11 or newer", "cargo", "rustup", "a C compiler"]) expect(text).toContain(what);
  expect(text).toContain("sudo apt install python3 python3-venv");
  expect(text).toContain("sh.rustup.rs");
});

test("nothing is missing on a machine that has it all", () => {
  for (const name of ["npm", "cargo", "rustup", "cc"]) program(name);
  program("python3", "echo 3.12.1");
  expect(missing()).toEqual([]);
});

test("a Python that is too old is named with its version, and a newer one beside it is found", () => {
  program("python3", "echo 3.9.2");
  expect(missing().find(({ what }) => what.includes("Python")).found).toBe(`${join(bin, "python3")} is 3.9.2`);
  program("python3.12", "echo 3.12.1");
  const { python } = checkPrerequisites({ nodeVersion: "20.11.0", env: { PATH: bin } });
  expect(python).toBe(join(bin, "python3.12"));
});

test("a Python without its venv module, as Debian ships it, is not enough", () => {
  program("python3", 'case "$2" in *venv*) exit 1;; *) echo 3.11.2;; esac');
  expect(missing().find(({ what }) => what.includes("Python")).found).toContain("is 3.11.2 without venv");
});

test("a cargo that is installed but not on the PATH is told apart from one that is not installed", () => {
  program("cargo", "exit 0", join(bin, ".cargo", "bin"));
  const cargo = missing().find(({ what }) => what === "cargo");
  expect(cargo.found).toContain("not on the PATH");
  expect(cargo.how).toEqual([`. "${join(bin, ".cargo", "env")}"`]);
});

test.each(["start", "test"])(
  "npm %s on an empty machine says what is missing on standard error and fails",
  (script) => {
    const entry = join(root, "tools", "bootstrap", `${script}.mjs`);
    const { status, stdout, stderr } = spawnSync(process.execPath, [entry], { encoding: "utf8", env: { PATH: bin } });
    expect(status).toBe(1);
    expect(stderr).toContain("rustup");
    expect(stdout).toBe(script === "start" ? "" : "0 passed, 1 failed\n");
  },
);

test("npm start -- --json prints one JSON array and nothing else, npm's own header left out, even when it fails", () => {
  for (const name of ["sh", "node", "npm"]) {
    const path = name === "node" ? process.execPath : execFileSync("which", [name], { encoding: "utf8" }).trim();
    symlinkSync(path, join(bin, name));
  }
  const options = { cwd: root, encoding: "utf8", env: { PATH: bin, HOME: bin } };
  const { status, stdout } = spawnSync("npm", ["start", "--", "--json"], options);
  expect(status).toBe(1);
  const cells = JSON.parse(stdout);
  expect(cells).toHaveLength(18);
  for (const cell of cells) expect(cell).toMatchObject({ ok: false, error: expect.stringContaining("cargo") });
});
