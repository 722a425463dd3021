/**
 * Runs the official conformance suite of protobuf against the codecs of the three languages.
 *
 *     node test/conformance/run.mjs            fails when a test fails that is not in known-<language>.txt, when one of those
 *                                              passes, and when the table of docs/conformance.md is not what came out
 *     node test/conformance/run.mjs --write    writes the table into docs/conformance.md, and takes what is mended out of known-<language>.txt
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { forgetMended, knownFailures, surprises } from "./src/known.mjs";
import { table } from "./src/report.mjs";
import { runner } from "./src/runner.mjs";
import { runSuite } from "./src/suite.mjs";
import { root, testees } from "./src/testees.mjs";

const { values } = parseArgs({ options: { write: { type: "boolean" } } });
const page = join(root, "docs/conformance.md");
const place = /(<!-- table of test\/conformance\/run\.mjs -->\n)([\s\S]*?)(<!-- end -->)/;

/** In the form of jest's, which `npm test` adds up. */
function totals({ passed, failed, skipped }) {
  const parts = [failed && `${failed} failed`, skipped && `${skipped} skipped`, `${passed} passed`].filter(Boolean);
  console.log(`Tests: ${parts.join(", ")}, ${passed + failed + skipped} total`);
}

async function main() {
  let words;
  try {
    words = await runner(join(root, ".cache"), (text) => console.error(`${text} …`));
  } catch (error) {
    console.log(`The official conformance suite is skipped on this machine: ${error.message}`);
    totals({ passed: 0, failed: 0, skipped: testees.length });
    return 0;
  }
  const runs = [];
  const problems = [];
  for (const testee of testees) {
    console.error(`Conformance of ${testee.language} …`);
    const results = await runSuite(words, testee);
    runs.push({ language: testee.language, results });
    if (values.write) forgetMended(testee.language, results);
    problems.push(...surprises(results, knownFailures(testee.language)).map((text) => `${testee.language}: ${text}`));
  }
  const report = table(runs);
  console.log(`\n${report}\n`);
  const text = readFileSync(page, "utf8");
  if (values.write)
    writeFileSync(
      page,
      text.replace(place, (_all, begin, _old, end) => `${begin}\n${report}\n\n${end}`),
    );
  else if (place.exec(text)?.[2].trim() !== report) {
    problems.push("the table of docs/conformance.md is not this one: node test/conformance/run.mjs --write");
  }
  for (const problem of problems) console.log(problem);
  const outcomes = runs.flatMap(({ results }) => [...results.values()].map(({ outcome }) => outcome));
  const number = (outcome) => outcomes.filter((one) => one === outcome).length;
  // A failure that is known is as it should be.
  totals({ passed: number("passed") + number("failed"), failed: problems.length, skipped: number("skipped") });
  return problems.length === 0 ? 0 : 1;
}

process.exitCode = await main();
