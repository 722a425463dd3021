import { stripVTControlCharacters } from "node:util";

/**
 * Finds the totals in what jest, `cargo test` (one per binary) or pytest printed.
 *
 * @param {string} output all of it
 * @returns {{ passed: number, failed: number, skipped: number } | undefined} undefined if no test runner was at work
 */
export function countTests(output) {
  const totals = stripVTControlCharacters(output).split("\n").map(totalsOf).filter(Boolean);
  if (totals.length === 0) return undefined;
  const sum = (name) => totals.reduce((all, one) => all + one[name], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}

function totalsOf(line) {
  const isJest = /^Tests: .* total$/.test(line);
  const isCargo = /^test result: (ok|FAILED)\. /.test(line);
  const isPytest = /^(=+ )?(\d+ [a-z]+, )*\d+ [a-z]+ in [\d.]+s( \([\d:]+\))?( =+)?$/.test(line);
  if (!isJest && !isCargo && !isPytest) return undefined;
  const number = (words) => {
    const found = [...line.matchAll(/(\d+) ([a-z]+)/g)].filter(([, , word]) => words.includes(word));
    return found.reduce((all, [, value]) => all + Number(value), 0);
  };
  return {
    passed: number(["passed", "xfailed"]),
    failed: number(["failed", "error", "errors", "xpassed"]),
    skipped: number(["skipped", "ignored", "todo"]),
  };
}
