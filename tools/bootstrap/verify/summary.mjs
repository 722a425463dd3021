import { duration, styleFor } from "../setup/style.mjs";

/**
 * Adds the steps up. A step that failed without a failed test (a lint, a test that does not compile), or that did not
 * run, counts as one failure: the total never looks better than the run was.
 */
export function addUp(results) {
  let passed = 0;
  let failed = 0;
  for (const { result, tests } of results) {
    passed += tests?.passed ?? 0;
    failed += tests?.failed ?? 0;
    if (result !== "passed" && !tests?.failed) failed += 1;
  }
  return { passed, failed };
}

/** Returns the table of steps and, as its last line, `N passed, N failed`. */
export function formatSummary(results, ms, stream) {
  const style = styleFor(stream);
  const paint = { passed: style.green, failed: style.red, "not run": style.yellow };
  const width = Math.max(...results.map(({ name }) => name.length), 4) + 2;
  const lines = results.map((step) => {
    const time = step.result === "not run" ? "" : step.cached ? "cached" : duration(step.ms);
    return `${step.name.padEnd(width)}${paint[step.result](step.result.padEnd(9))}${time.padEnd(13)}${tally(step.tests)}`;
  });
  const { passed, failed } = addUp(results);
  const heading = style.bold(`${"step".padEnd(width)}${"result".padEnd(9)}${"time".padEnd(13)}tests`);
  const total = `${passed} passed, ${failed} failed`;
  return [
    heading,
    ...lines.map((line) => line.trimEnd()),
    "",
    `In ${duration(ms)}.`,
    failed === 0 ? style.green(total) : style.red(total),
  ].join("\n");
}

function tally(tests) {
  if (tests === undefined) return "";
  const parts = [`${tests.passed} passed`];
  if (tests.failed > 0) parts.push(`${tests.failed} failed`);
  if (tests.skipped > 0) parts.push(`${tests.skipped} skipped`);
  return parts.join(", ");
}
