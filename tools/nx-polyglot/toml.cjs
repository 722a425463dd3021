/**
 * Reads one array of strings out of a TOML file: the only thing the inference needs, so that it needs no TOML parser.
 *
 * @param {string} text the TOML file
 * @param {string} section the table, for example `workspace`
 * @param {string} key the key in that table
 * @returns {string[]} its strings; empty if the table or the key is not there
 */
function stringArray(text, section, key) {
  const lines = text.replace(/("[^"\n]*"|'[^'\n]*')|#[^\n]*/g, "$1").split("\n");
  const start = lines.findIndex((line) => line.trim() === `[${section}]`);
  if (start < 0) return [];
  const length = lines.slice(start + 1).findIndex((line) => /^\[/.test(line));
  const body = lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join("\n");
  const value = new RegExp(`^${key}\\s*=\\s*\\[([^\\]]*)\\]`, "m").exec(body);
  return value ? [...value[1].matchAll(/"([^"]*)"|'([^']*)'/g)].map((match) => match[1] ?? match[2]) : [];
}

module.exports = { stringArray };
