import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Writable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { builds } from "../setup/builds.mjs";
import { takeLock } from "../setup/lock.mjs";
import { createMemory, keyOf } from "../setup/memory.mjs";
import { outdatedNpm } from "../setup/npm-packages.mjs";
import { createProgress } from "../setup/progress.mjs";
import { runSteps } from "../setup/setup.mjs";

let folder;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "anyplug-setup-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a step that ran is current until its inputs change or what it left behind is damaged", () => {
  const output = join(folder, "output");
  const memory = createMemory(join(folder, ".cache"));
  expect(memory.isCurrent("step", keyOf("inputs"))).toBe(false);

  writeFileSync(output, "whole");
  memory.remember("step", keyOf("inputs"), [output]);
  expect(createMemory(join(folder, ".cache")).isCurrent("step", keyOf("inputs"))).toBe(true);
  expect(memory.isCurrent("step", keyOf("other inputs"))).toBe(false);
  expect(memory.isIntact("step")).toBe(true);

  writeFileSync(output, "wh");
  expect(memory.isCurrent("step", keyOf("inputs"))).toBe(false);
  rmSync(output);
  expect(memory.isCurrent("step", keyOf("inputs"))).toBe(false);
  expect(memory.isIntact("step")).toBe(false);
});

test("builds are current until one of their programs is gone; there may be files beside the folders of plugins", async () => {
  const program = join(folder, "plugins", "one", "rust", "bin", "one");
  for (const parent of [join(program, ".."), join(folder, "examples")]) mkdirSync(parent, { recursive: true });
  writeFileSync(program, "machine code");
  writeFileSync(join(folder, "examples", "Cargo.toml"), "[package]");
  writeFileSync(join(folder, "tsconfig.json"), '{ "references": [] }');
  const step = builds(folder, createMemory(join(folder, ".cache")));
  await step.run({ command: async () => {} });
  expect(step.isCurrent()).toBe(true);
  rmSync(program);
  expect(step.isCurrent()).toBe(false);
});

test("a memory that was cut off or is of another form is as good as none", () => {
  const memory = createMemory(folder);
  for (const text of ['{"step": {"ke', "null", '"text"']) {
    writeFileSync(join(folder, "setup.json"), text);
    expect(memory.isCurrent("step", "key")).toBe(false);
  }
  memory.remember("step", "key", []);
  expect(memory.isCurrent("step", "key")).toBe(true);
});

test("node_modules is current if npm's record of it agrees with the lock file, and not if something is gone", () => {
  const entry = { version: "1.0.0", integrity: "sha512-x" };
  const packages = {
    "": { dependencies: { a: "1" } },
    "node_modules/a": entry,
    "node_modules/b": { ...entry, optional: true },
  };
  const write = (path, value) => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), JSON.stringify(value));
  };
  write("package.json", { dependencies: { a: "1" } });
  write("package-lock.json", { packages });
  expect(outdatedNpm(folder)).toBe("node_modules");

  write("node_modules/.package-lock.json", { packages: { "node_modules/a": entry } });
  write("node_modules/a/package.json", {});
  write("node_modules/.bin/a", {});
  expect(outdatedNpm(folder)).toBeUndefined();

  write("node_modules/.package-lock.json", { packages: { "node_modules/a": { ...entry, version: "0.9.0" } } });
  expect(outdatedNpm(folder)).toBe("node_modules/a");
  write("node_modules/.package-lock.json", { packages: { "node_modules/a": entry } });
  write("package.json", { dependencies: { a: "2" } });
  expect(outdatedNpm(folder)).toBe("package.json");
  write("package.json", { dependencies: { a: "1" } });
  rmSync(join(folder, "node_modules", "a"), { recursive: true });
  expect(outdatedNpm(folder)).toBe("node_modules/a");
});

/** Steps report to a stream that keeps what is written. */
function recorder() {
  const written = [];
  const stream = new Writable({ write: (chunk, _encoding, done) => done(void written.push(String(chunk))) });
  return { progress: createProgress(stream), text: () => written.join("") };
}

test("what is current is skipped and said to be; what runs says so with its duration", async () => {
  const { progress, text } = recorder();
  const ran = [];
  const step = (name, current) => ({ name, why: "testing", isCurrent: () => current, run: async () => ran.push(name) });
  await runSteps([step("One", true), step("Two", false)], progress, folder);
  expect(ran).toEqual(["Two"]);
  expect(text()).toMatch(/✓ One current\n {2}Two: testing \(0\.0 s\)\n✓ Two done in 0\.\d s\n/);
});

test("a step that fails shows its output, names its log and stops what follows", async () => {
  const { progress } = recorder();
  const script = "console.log('to stdout'); console.error('to stderr'); process.exit(3)";
  const failing = {
    name: "Python packages",
    why: "testing",
    isCurrent: () => false,
    run: ({ command }) => command(process.execPath, ["-e", script]),
  };
  const never = { ...failing, run: () => writeFileSync(join(folder, "ran"), "") };
  const error = await runSteps([failing, never], progress, folder).catch((reason) => reason);
  const log = join(folder, "logs", "python-packages.log");
  expect(error.message).toContain("to stdout");
  expect(error.message).toContain("to stderr");
  expect(error.message).toContain("ended with status 3");
  expect(error.message).toContain(log);
  expect(readFileSync(log, "utf8")).toContain("to stderr");
  expect(existsSync(join(folder, "ran"))).toBe(false);
});

test("two set-ups take turns, and one that died is not waited for", async () => {
  writeFileSync(join(folder, "setup.lock"), "999999999");
  const waits = [];
  const first = await takeLock(folder, (pid) => waits.push(pid));
  expect(waits).toEqual([]);

  let second;
  const holder = await new Promise((resolve) => {
    second = takeLock(folder, resolve);
  });
  expect(holder).toBe(process.pid);
  first();
  (await second)();
  expect(existsSync(join(folder, "setup.lock"))).toBe(false);
});

test("a command that is not there fails with its name", async () => {
  const step = {
    name: "Step",
    why: "testing",
    isCurrent: () => false,
    run: ({ command }) => command(join(folder, "absent"), []),
  };
  await expect(runSteps([step], recorder().progress, folder)).rejects.toThrow(/absent" could not be started/);
});
