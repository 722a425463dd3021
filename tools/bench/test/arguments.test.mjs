import { expect, test } from "@jest/globals";
import { readArguments, UsageError } from "../arguments.mjs";

test("without arguments everything is measured", () => {
  expect(readArguments([])).toEqual({
    help: false,
    quick: false,
    only: ["codecs", "calls", "sockets", "direct", "modules", "instances", "native", "agents", "idle", "codegen"],
    languages: ["typescript", "python", "rust"],
    json: undefined,
    markdown: undefined,
  });
});

test("sections and languages are chosen by lists, in whatever order", () => {
  const { quick, only, languages } = readArguments(["--quick", "--only", "idle,codecs", "--language", "rust"]);
  expect({ quick, only, languages }).toEqual({ quick: true, only: ["codecs", "idle"], languages: ["rust"] });
});

test("the quick run leaves out what takes seconds a round, unless it is asked for", () => {
  expect(readArguments(["--quick"]).only).not.toContain("codegen");
  expect(readArguments(["--quick", "--only", "codegen"]).only).toEqual(["codegen"]);
});

test.each([
  [
    ["--only", "codec"],
    '--only takes codecs, calls, sockets, direct, modules, instances, native, agents, idle, codegen, with commas between; it cannot be "codec"',
  ],
  [["--language", "go"], '--language takes typescript, python, rust, with commas between; it cannot be "go"'],
  [["--fast"], "Unknown option '--fast'"],
  [["--json"], "Option '--json <value>' argument missing"],
])("%j is refused with what is possible", (args, message) => {
  expect(() => readArguments(args)).toThrow(UsageError);
  expect(() => readArguments(args)).toThrow(message);
});
