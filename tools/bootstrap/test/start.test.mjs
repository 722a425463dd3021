import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { readArguments } from "../start/arguments.mjs";
import { languageOf } from "../start/conversation.mjs";
import { formatExamples, runExamples } from "../start/examples.mjs";
import { CELLS, failedCell, formatMatrix, runCell } from "../start/matrix.mjs";

const entry = join(dirname(fileURLToPath(import.meta.url)), "..", "start.mjs");
const pair = { host: "rust", plugin: "python" };

/** A host program that runs a line of JavaScript. */
const host = (script) => () => [process.execPath, "-e", script, "--"];

test.each([
  [["--host", "go", "--plugin", "rust"], '--host is typescript, python, rust; it cannot be "go"'],
  [["--host", "rust"], "--host and --plugin belong together"],
  [["--transport", "process"], "--transport needs --host and --plugin"],
  [["--host", "rust", "--plugin", "python", "--transport", "pigeon"], 'it cannot be "pigeon"'],
  [["--host", "rust", "--plugin", "python", "--transport", "direct"], "the same language"],
  [["--json", "--host", "rust", "--plugin", "python"], "leave out --host"],
  [["--jsno"], "--jsno"],
  [["rust"], "rust"],
])("%j is refused with status 2, a reason, and nothing on standard output", (args, reason) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...args], { encoding: "utf8" });
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toContain(reason);
  expect(stderr).toContain("npm start -- --json");
});

test("--help says how to use it, and sets nothing up", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, "--help"], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain("--transport T");
});

test("a pair of languages and a transport are read", () => {
  const args = ["--host", "rust", "--plugin", "rust", "--transport", "direct"];
  expect(readArguments(args)).toMatchObject({ host: "rust", plugin: "rust", transport: "direct", json: false });
});

test("the cells are every host with every plugin, and with every module and library", () => {
  const usual = CELLS.filter(({ transport }) => transport === undefined);
  expect(new Set(usual.map((cell) => `${cell.host} ${cell.plugin}`)).size).toBe(9);
  const modules = CELLS.filter(({ transport }) => transport === "wasm").map((cell) => `${cell.host} ${cell.plugin}`);
  const hosts = ["typescript", "python", "rust"];
  expect(modules).toEqual(hosts.flatMap((name) => [`${name} typescript`, `${name} rust`]));
  const libraries = CELLS.filter(({ transport }) => transport === "ffi").map((cell) => `${cell.host} ${cell.plugin}`);
  expect(libraries).toEqual(hosts.map((name) => `${name} rust`));
});

test("a host program is asked for the cell's transport", async () => {
  const said = await runCell(
    { ...pair, transport: "wasm" },
    host("console.log(JSON.stringify({ error: process.argv.slice(1).join(' ') }))"),
  );
  expect(said.error).toContain("--plugin python --transport wasm --cell");
});

test("a cell is what the host program prints", async () => {
  const cell = { ...pair, transport: "process", ok: true, reply: "IN WHAT WAY", p50_us: 5.5 };
  expect(await runCell(pair, host(`console.error("noise"); console.log('${JSON.stringify(cell)}')`))).toEqual(cell);
});

test.each([
  ["prints something else", "console.log('hello')", /printed no cell but "hello/],
  ["crashes", "console.error('it hurts'); process.exit(7)", /status 7\nit hurts/],
  ["answers wrongly", `console.log('{"ok":true,"reply":"HMMM","p50_us":1}')`, /the reply is not IN WHAT WAY/],
  ["says why it failed", `console.log('{"ok":false,"error":"UNAVAILABLE: no plugin"}')`, /UNAVAILABLE: no plugin/],
])("a cell whose host program %s has failed, and says so", async (_what, script, reason) => {
  expect(await runCell(pair, host(script))).toMatchObject({ ...pair, ok: false, error: expect.stringMatching(reason) });
});

test.each(["absent", join("start.mjs", "absent")])(
  "a cell whose host program %s is not there says so",
  async (path) => {
    const cell = await runCell(pair, () => [join(dirname(entry), path)]);
    expect(cell).toMatchObject({ ok: false, error: expect.stringContaining("could not be started") });
  },
);

test("the table has a row per host, a column per plugin, and the reason of each failure", () => {
  const cells = CELLS.map((one) => ({ ...one, transport: "process", ok: true, reply: "IN WHAT WAY", p50_us: 41.6 }));
  const text = formatMatrix([...cells.slice(0, -1), failedCell(CELLS.at(-1), "no such plugin")], { isTTY: false });
  expect(text.split("\n").slice(0, 4)).toEqual([
    "host \\ plugin  typescript          python              rust                typescript as wasm  rust as wasm        rust as library",
    "typescript     ✓ process 42 us     ✓ process 42 us     ✓ process 42 us     ✓ process 42 us     ✓ process 42 us     ✓ process 42 us",
    "python         ✓ process 42 us     ✓ process 42 us     ✓ process 42 us     ✓ process 42 us     ✓ process 42 us     ✓ process 42 us",
    "rust           ✓ process 42 us     ✓ process 42 us     ✓ process 42 us     ✓ process 42 us     ✓ process 42 us     ✗ failed",
  ]);
  expect(text).toContain("17 of 18 cells");
  expect(text).toContain("rust host, rust plugin over ffi: no such plugin");
});

test("an example's table is shown as it is, and one that fails with its reason", async () => {
  const program = (script) => [process.execPath, "-e", script];
  const fails = program("console.log('half'); console.error('it hurts'); process.exit(7)");
  const commands = { typescript: program("console.log('a  b')"), python: program("console.log('c')"), rust: fails };
  const examples = await runExamples(commands);
  expect(examples.map(({ error }) => error === undefined)).toEqual([true, true, false]);
  expect(formatExamples(examples)).toBe(
    "Loaded from typescript:\n\na  b\n\nLoaded from python:\n\nc\n\nLoaded from rust:\n\nhalf\nthe host program ended with status 7\nit hurts\n",
  );
});

test("a language is chosen by number, name or beginning; an empty answer means the first", () => {
  expect(["2", "rust", "Py", "", "t"].map(languageOf)).toEqual([
    "python",
    "rust",
    "python",
    "typescript",
    "typescript",
  ]);
  expect(["4", "0", "go"].map(languageOf)).toEqual([undefined, undefined, undefined]);
});
