/** The table of the results: a client a row, a server a column, all transports in a cell. */

/**
 * Returns the table in Markdown, without a line end after it.
 *
 * @param {{ transport: string, client: string, server: string, passed: number, known: number, failures: string[] }[]} results
 * @param {string[]} languages
 */
export function table(results, languages) {
  const rows = languages.map((client) => [
    `client in ${client}`,
    ...languages.map((server) => cell(results.filter((one) => one.client === client && one.server === server))),
  ]);
  const all = [["", ...languages.map((language) => `server in ${language}`)], ...rows];
  const widths = all[0].map((_, column) => Math.max(3, ...all.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((text, column) => text.padEnd(widths[column])).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(all[0]), rule, ...rows.map(line)].join("\n");
}

function cell(results) {
  const sum = (count) => results.reduce((total, one) => total + count(one), 0);
  const failed = sum(({ failures }) => failures.length);
  const known = sum((one) => one.known);
  const parts = [`${sum(({ passed }) => passed)} passed`, known && `${known} known`, failed && `${failed} failed`];
  return parts.filter(Boolean).join(", ");
}
