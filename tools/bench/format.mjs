/** Tables as text: for the terminal and as Markdown. */

/** Returns a number with three significant digits, thousands apart, never as a power. */
export function digits(value) {
  if (value === undefined) return "";
  const size = Math.abs(value);
  const places = size >= 100 || size === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(size)));
  return value.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
}

/** Returns a ratio: `1.3x`. */
export function ratio(value) {
  return value === undefined ? "" : `${digits(value)}x`;
}

/** The columns of a table of figures: a heading, and the text of a row. */
function columns({ unit, limit, peer, rows }) {
  const has = (field) => rows.some((row) => row[field] !== undefined);
  return [
    ["", (row) => (row.kind === "ours" ? { strong: row.label } : row.label)],
    [unit, (row) => (row.error === undefined ? digits(row.median) : "failed")],
    ["p10 to p90", (row) => (row.error === undefined ? `${digits(row.p10)} to ${digits(row.p90)}` : "")],
    ...(has("p99") ? [["p99", (row) => digits(row.p99)]] : []),
    ...(limit ? [[`to ${limit}`, (row) => ratio(row.toLimit)]] : []),
    ...(peer ? [[`to ${peer}`, (row) => ratio(row.toPeer)]] : []),
  ];
}

/** Returns one line for an aim. */
export function aimLine({ text, found, wanted, unit, met }) {
  const show = (value) => (unit === "x" ? ratio(value) : `${digits(value)} ${unit}`);
  if (met === undefined) return `aim not measured: ${text}`;
  return `aim ${met ? "met" : "missed"}: ${text} (${show(found)}, aim ${show(wanted)})`;
}

/** Returns a table for a terminal. `style` colours text, see style.mjs. */
export function tableText(table, style) {
  const cells = [
    columns(table).map(([heading]) => heading),
    ...table.rows.map((row) => columns(table).map(([, text]) => text(row))),
  ];
  const plain = cells.map((row) => row.map((cell) => cell.strong ?? cell));
  const widths = plain[0].map((_, at) => Math.max(...plain.map((row) => row[at].length)));
  const lines = plain.map((row, index) => {
    const line = row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at]))).join("  ");
    if (index === 0) return style.dim(line.trimEnd());
    return cells[index][0].strong ? style.bold(line.trimEnd()) : line.trimEnd();
  });
  const aims = table.aims.map((aim) => (aim.met ? style.green : style.yellow)(aimLine(aim)));
  const problems = table.rows.filter((row) => row.error).map((row) => style.red(`${row.label}: ${row.error}`));
  return [style.bold(table.title), ...(table.note ? [style.dim(table.note)] : []), ...lines, ...aims, ...problems].join(
    "\n",
  );
}

/** Returns a table as Markdown. */
export function tableMarkdown(table) {
  const all = columns(table);
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rows = table.rows.map((row) =>
    line(all.map(([, text]) => text(row)).map((cell) => (cell.strong ? `**${cell.strong}**` : cell))),
  );
  const lines = [line(all.map(([heading]) => heading)), line(all.map((_, at) => (at === 0 ? "---" : "---:"))), ...rows];
  const aims = table.aims.map((aim) => `- ${aimLine(aim)}`);
  return [
    `### ${table.title}`,
    "",
    ...(table.note ? [table.note, ""] : []),
    ...lines,
    ...(aims.length ? ["", ...aims] : []),
    "",
  ].join("\n");
}
