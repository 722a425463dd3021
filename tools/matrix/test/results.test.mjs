import { expect, test } from "@jest/globals";
import { readArguments, UsageError } from "../arguments.mjs";
import { cellsOf, languages } from "../cells.mjs";
import { judge, tally } from "../results.mjs";
import { formatEnd, formatHost } from "../table.mjs";

const lists = {
  languages,
  transports: [
    { name: "direct", plugins: "own", has: [], why: "one language" },
    { name: "tcp", plugins: "all", has: ["bytes"] },
  ],
  behaviours: [{ name: "echoes" }, { name: "counts_bytes", needs: "bytes", why: "no bytes" }],
};

function cells(args) {
  return cellsOf(readArguments(args, lists), lists);
}

const reported = (cell, behaviour, result) => ({ ...cell, behaviour, result, ms: 1 });

test("every pair of host and plugin is a cell of every transport, by default", () => {
  expect(cells([])).toHaveLength(18);
  expect(cells(["--host", "rust", "--transport", "direct"]).map(({ plugin, why }) => [plugin, why])).toEqual([
    ["typescript", "one language"],
    ["python", "one language"],
    ["rust", undefined],
  ]);
});

test("what there is not is refused by name", () => {
  expect(() => readArguments(["--host", "go"], lists)).toThrow(UsageError);
  expect(() => readArguments(["--transport", "tcp,pigeon"], lists)).toThrow(
    '--transport: expected some of direct, tcp, got "pigeon"',
  );
});

test("a behaviour that no suite reports is not run, wherever it is missing", () => {
  const [cell] = cells(["--host", "rust", "--plugin", "rust", "--transport", "tcp"]);
  const results = judge([cell], lists.behaviours, [reported(cell, "echoes", "passed")]);
  expect(tally(results)).toMatchObject({ passed: 1, "not run": 1 });
  expect(formatEnd(results)).toContain("NOT RUN: counts_bytes with a host in rust and a plugin in rust over tcp");
  expect(tally(judge([cell], lists.behaviours, []))).toMatchObject({ "not run": 2 });
});

test("a suite may not call inapplicable what the list does not", () => {
  const [cell] = cells(["--host", "rust", "--plugin", "rust", "--transport", "tcp"]);
  const results = judge(
    [cell],
    lists.behaviours,
    ["echoes", "counts_bytes"].map((name) => reported(cell, name, "not applicable")),
  );
  expect(tally(results)).toMatchObject({ "not applicable": 0, "not run": 2 });
});

test("what does not apply is counted with its reason", () => {
  const own = cells(["--host", "rust", "--plugin", "python,rust", "--transport", "direct"]);
  const [, cell] = own;
  const results = judge(own, lists.behaviours, [
    reported(cell, "echoes", "passed"),
    reported(cell, "counts_bytes", "not applicable"),
  ]);
  expect(tally(results)).toEqual({ passed: 1, failed: 0, "not applicable": 3, "not run": 0 });
  expect(formatEnd(results)).toContain("2 not applicable: one language");
  expect(formatEnd(results)).toContain("1 not applicable: no bytes");
});

test("a failure stays one, whatever else is said of the same behaviour", () => {
  const [cell] = cells(["--host", "rust", "--plugin", "rust", "--transport", "tcp"]);
  const said = ["failed", "passed"].map((result) => reported(cell, "echoes", result));
  expect(judge([cell], [{ name: "echoes" }], said)[0].result).toBe("failed");
});

test("a host's table has a line for each behaviour and a column for each cell", () => {
  const own = cells(["--host", "rust", "--plugin", "python,rust"]);
  const results = judge(
    own,
    lists.behaviours,
    own.filter(({ why }) => why === undefined).map((cell) => reported(cell, "echoes", "passed")),
  );
  expect(formatHost("rust", results).split("\n")).toEqual([
    "host rust                 direct     tcp",
    "                           py rs   py rs  passed",
    "echoes                      -  +    +  +  3/3",
    "counts_bytes                -  ?    ?  ?  0/3",
    "passed                      0  1    1  1  3/6",
  ]);
});
