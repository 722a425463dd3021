import { expect, test } from "@jest/globals";
import { readArguments } from "../verify/arguments.mjs";
import { countTests } from "../verify/count.mjs";
import { addUp, formatSummary } from "../verify/summary.mjs";

const step = (name, result, tests) => ({ name, result, tests, cached: false, ms: 1500 });

test("the tests of jest, cargo and pytest are counted, coloured or not", () => {
  expect(countTests("Tests:       1 failed, 2 skipped, 12 passed, 15 total\nTime: 3 s")).toEqual({
    passed: 12,
    failed: 1,
    skipped: 2,
  });
  const cargo = [
    "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
    "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s",
  ];
  expect(countTests(cargo.join("\n"))).toEqual({ passed: 7, failed: 2, skipped: 1 });
  expect(countTests("\x1b[32m===== \x1b[1m41 passed\x1b[0m, 1 error in 2.31s =====\x1b[0m")).toEqual({
    passed: 41,
    failed: 1,
    skipped: 0,
  });
  expect(countTests("1 failed, 3 passed, 1 xfailed, 2 warnings in 72.10s (0:01:12)")).toMatchObject({
    passed: 4,
    failed: 1,
  });
  expect(countTests("nothing was tested, 3 passed by")).toBeUndefined();
});

test("the last line is the total", () => {
  const results = [
    step("lint-biome", "passed"),
    step("test-rust", "passed", { passed: 7, failed: 0, skipped: 1 }),
    { ...step("test-python", "failed", { passed: 40, failed: 2, skipped: 0 }), cached: true },
  ];
  const text = formatSummary(results, 61_000, { isTTY: false });
  expect(text.split("\n").at(-1)).toBe("47 passed, 2 failed");
  expect(text).toMatch(/test-rust {4}passed {3}1\.5 s {8}7 passed, 1 skipped\n/);
  expect(text).toMatch(/test-python {2}failed {3}cached {7}40 passed, 2 failed\n/);
  expect(text).toContain("In 1 min 01 s.");
});

test("a lint that fails, tests that do not compile and a step that did not run each count as a failure", () => {
  const results = [step("lint-clippy", "failed"), step("test-rust", "failed"), step("test-python", "not run")];
  expect(addUp(results)).toEqual({ passed: 0, failed: 3 });
});

test("steps can be named; one that does not exist is refused with the names of those that do", () => {
  expect(readArguments([], ["lint-a", "test-b"]).steps).toEqual(["lint-a", "test-b"]);
  expect(readArguments(["--fresh", "test-b"], ["lint-a", "test-b"])).toMatchObject({ fresh: true, steps: ["test-b"] });
  expect(() => readArguments(["test-c"], ["lint-a", "test-b"])).toThrow('no step "test-c". There are: lint-a, test-b');
});
