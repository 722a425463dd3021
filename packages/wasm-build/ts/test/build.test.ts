/** What the build makes, and what it says when it cannot. */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Hello } from "@anyplug/protocol/anyplug/wire/v1/hello.js";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { BuildError, type BuiltPlugin, buildPlugin } from "../src/index.js";

let folder: string;

beforeEach(async () => {
  // From where packages are found, and where nothing else looks.
  const cache = join(import.meta.dirname, "../../../../.cache/wasm-build");
  await mkdir(cache, { recursive: true });
  folder = await mkdtemp(join(cache, "test-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function built(source: string): Promise<BuiltPlugin> {
  const entry = join(folder, "plugin.ts");
  await writeFile(entry, source);
  return buildPlugin({ entry });
}

/** What the build says of a source that it cannot use. */
async function refusal(source: string): Promise<string> {
  const error: unknown = await built(source).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(BuildError);
  return String(error);
}

const good = `import { definePlugin } from "@anyplug/sdk";
export const plugin = definePlugin({ name: "good", version: "2.0.0", services: [] });\n`;

test("a module says in its section which version of the ABI it speaks, and who it is", async () => {
  const { wasm } = await built(good);
  const [section] = WebAssembly.Module.customSections(await WebAssembly.compile(wasm), "anyplug");
  const bytes = new Uint8Array(section ?? new ArrayBuffer(4));
  expect([...bytes.subarray(0, 4)]).toEqual([1, 0, 0, 0]);
  const { name, version, runtime } = Hello.decode(bytes.subarray(4));
  expect({ name, version }).toEqual({ name: "good", version: "2.0.0" });
  expect(runtime).toMatch(/quickjs/);
});

test("the same source gives the same module", async () => {
  const [one, other] = [await built(good), await built(good)];
  expect(Buffer.from(one.wasm).equals(Buffer.from(other.wasm))).toBe(true);
});

test("a program that serves its plugin itself is one too", async () => {
  const { name } = await built(`import { serve } from "@anyplug/sdk";\n${good}void serve(plugin);\n`);
  expect(name).toBe("good");
});

test("a module that exports no plugin is refused", async () => {
  expect(await refusal("export const other = 1;")).toMatch(/plugin\.ts exports no "plugin" that definePlugin made/);
});

test("a source that cannot be bundled is refused with the place", async () => {
  expect(await refusal("import './missing.js';")).toMatch(/missing\.js[\s\S]*plugin\.ts:1:7/);
  expect(await refusal("const = 1;")).toMatch(/plugin\.ts:1:6/);
});

test("a module of Node that a module cannot have is refused by name", async () => {
  const message = await refusal(`import { connect } from "node:net";\nconnect(1);\n${good}`);
  expect(message).toMatch(/node:net is not there in a WebAssembly module; of Node there are buffer, events, fs/);
});

test("what the plugin throws while it is read is told with its place", async () => {
  expect(await refusal(`throw new RangeError("too far");`)).toMatch(/the plugin failed: RangeError: too far\n +at /);
  expect(await refusal(`await Promise.reject(new Error("later"));`)).toMatch(/the plugin failed: Error: later/);
});

test("a plugin cannot wait for what only a host can give", async () => {
  const message = await refusal(`await new Promise((resolve) => setTimeout(resolve, 1));\n${good}`);
  expect(message).toMatch(/waits for something at its top level/);
});

test("random bytes that all instances would share are refused", async () => {
  const message = await refusal(`export const key = crypto.getRandomValues(new Uint8Array(16));\n${good}`);
  expect(message).toMatch(/asks for random bytes while it is built/);
});

test("files that the source names by import.meta.url are in the module, and no others", async () => {
  await writeFile(join(folder, "words.txt"), "one two");
  const source = `import { existsSync, readFileSync } from "node:fs";
import { definePlugin } from "@anyplug/sdk";
const words = readFileSync(new URL("./words.txt", import.meta.url), "utf8").split(" ");
if (existsSync("/etc/hostname")) throw new Error("there are files");
export const plugin = definePlugin({ name: words.join("-"), version: "1.0.0", services: [] });\n`;
  expect((await built(source)).name).toBe("one-two");
});
