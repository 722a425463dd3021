/** The failures that are known, by language: a line names a test, what is after # says why. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const fileOf = (language) => join(import.meta.dirname, "..", `known-${language.toLowerCase()}.txt`);

/** @returns {string[]} the names of the tests that are known to fail in a language */
export function knownFailures(language) {
  return readFileSync(fileOf(language), "utf8")
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line !== "");
}

/**
 * Returns what is not as it is known to be, a line each: tests that fail, and tests that are known to fail but do not.
 *
 * @param {Map<string, import("./suite.mjs").Result>} results
 * @param {string[]} known
 */
export function surprises(results, known) {
  const expected = new Set(known);
  const failing = [...results].filter(([name, { outcome }]) => outcome === "failed" && !expected.has(name));
  const passing = known.filter((name) => results.get(name)?.outcome !== "failed");
  return [
    ...failing.map(([name, { why }]) => `${name} failed: ${why.slice(0, 500)}`),
    ...passing.map((name) => `${name} is known to fail, but ${results.get(name)?.outcome ?? "does not exist"}`),
  ];
}

/** Takes those that do not fail any more out of the file, and reasons that no test is left of. What fails for the first time wants a reason. */
export function forgetMended(language, results) {
  const paragraphs = readFileSync(fileOf(language), "utf8").split(/\n\n+/);
  const left = paragraphs.map((paragraph) => {
    const lines = paragraph.split("\n").filter((line) => line !== "");
    return lines.filter((line) => line.startsWith("#") || results.get(line.trim())?.outcome === "failed");
  });
  const kept = left.filter((lines) => lines.some((line) => !line.startsWith("#")));
  writeFileSync(fileOf(language), kept.map((lines) => `${lines.join("\n")}\n`).join("\n"));
}
