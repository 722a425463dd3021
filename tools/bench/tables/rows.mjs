/** What tables have in common: a group for each language, and rows of contenders. */

/** The languages, as a reader knows them. */
export const names = { typescript: "TypeScript", python: "Python", rust: "Rust" };

/**
 * @param {string} section of the command line
 * @param {(name: string) => string} title of the group of a language, by the language's name
 * @param {object[]} measured what is measured, a table each
 * @param {(language: string, what: object) => object} table
 * @returns {object[]} a group for each language; all contenders of a group take turns
 */
export function groupsOf(section, title, measured, table) {
  return Object.entries(names).map(([language, name]) => ({
    section,
    language,
    name: title(name),
    tables: measured.map((what) => table(language, what)),
  }));
}

/**
 * @param {[string, string, "ours" | "limit" | "peer", string[]?, string?][]} contenders each with its label, what it is, what it is measured by (absent: everything), and
 *   its language, if that is another than the table's
 * @param {string} language of the table
 * @param {string} run what is asked of the contenders
 * @param {string} of what the contenders are chosen by
 * @returns {object[]} a row for each that is measured
 */
export function rowsOf(contenders, language, run, of = run) {
  return contenders
    .filter(([, , , only]) => only === undefined || only.includes(of))
    .map(([contender, label, kind, , other]) => ({
      id: contender,
      label,
      kind,
      language: other ?? language,
      contender,
      run,
    }));
}

/** Returns the id of the first row of a kind, which others are compared with. */
export function firstOf(rows, kind) {
  return rows.find((row) => row.kind === kind)?.id;
}

/** Returns the aims of rows to take at most that long. */
export function within(bounds, rows, unit) {
  const label = (id) => rows.find((row) => row.id === id).label;
  return bounds.map(([row, bound]) => ({ row, bound, text: `${label(row)} within ${bound} ${unit}` }));
}
