/** The table of the results. */

const rows = ["Required", "Recommended"].flatMap((level) => ["binary", "JSON"].map((form) => ({ level, form })));

/** How many tests of a level and a form passed, failed and were skipped. A test is of JSON when input or output is. */
export function count(results, level, form) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [name, { outcome }] of results) {
    const isJson = /Json(Input|Output)|\.Validator$/.test(name);
    if (name.startsWith(`${level}.`) && isJson === (form === "JSON")) counts[outcome] += 1;
  }
  return counts;
}

/**
 * Returns the table in Markdown, without a line end after it.
 *
 * @param {{ language: string, results: Map<string, import("./suite.mjs").Result> }[]} runs
 */
export function table(runs) {
  const cells = rows.map(({ level, form }) => [
    `${level}, ${form}`,
    ...runs.map(({ results }) => {
      const { passed, failed, skipped } = count(results, level, form);
      return [`${passed} passed`, failed && `${failed} failed`, skipped && `${skipped} skipped`]
        .filter(Boolean)
        .join(", ");
    }),
  ]);
  const all = [["", ...runs.map(({ language }) => language)], ...cells];
  const widths = all[0].map((_, column) => Math.max(3, ...all.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(all[0]), rule, ...cells.map(line)].join("\n");
}
