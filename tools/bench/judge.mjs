/** Rows of figures from what was measured: median, spread, how they compare, and whether an aim is met. */
import { pairedRatio, quantile, summary } from "./statistics.mjs";

/**
 * @param {object} table its rows, the row that others are compared with, and its aims
 * @param {Map<object, { values: number[], p99s: number[], error?: string }>} results what each row came to
 * @returns {object} the table with figures instead of contenders
 */
export function judge({ id, title, note, unit, better, rows, limit, peer, aims = [] }, results) {
  const series = (rowId) => results.get(rows.find((row) => row.id === rowId))?.values ?? [];
  const ratioTo = (row, other) =>
    other === undefined || row.id === other ? undefined : pairedRatio(series(row.id), series(other));
  const figures = rows.map((row) => {
    const { values, p99s, error } = results.get(row);
    const measured = values.length > 0 && error === undefined;
    return {
      id: row.id,
      label: row.label,
      kind: row.kind,
      ...(measured ? { ...summary(values), rounds: values } : { error: error ?? "nothing was measured" }),
      ...(measured && p99s.length > 0 ? { p99: quantile(p99s, 0.5) } : {}),
      ...(measured ? { toLimit: ratioTo(row, limit), toPeer: ratioTo(row, peer) } : {}),
    };
  });
  const judged = aims.map((aim) => judgeAim(aim, { better, unit, series }));
  return {
    id,
    title,
    note,
    unit,
    better,
    limit: nameOf(rows, limit),
    peer: nameOf(rows, peer),
    rows: figures,
    aims: judged,
  };
}

const nameOf = (rows, id) => rows.find((row) => row.id === id)?.label;

/** `aim` is of a row, at most (or, where more is better, at least) a number, or a factor of another row. */
function judgeAim({ row, text, bound, against, factor }, { better, unit, series }) {
  const values = series(row);
  const found =
    against === undefined
      ? values.length > 0
        ? summary(values).median
        : undefined
      : pairedRatio(values, series(against));
  const wanted = against === undefined ? bound : factor;
  if (found === undefined) return { row, text, met: undefined };
  return {
    row,
    text,
    found,
    wanted,
    unit: against === undefined ? unit : "x",
    met: better === "lower" ? found <= wanted : found >= wanted,
  };
}
