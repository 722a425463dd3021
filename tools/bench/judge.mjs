/** Rows of figures from what was measured: median, spread, how they compare, and whether an aim is met. */
import { pairedDifference, pairedRatio, quantile, summary } from "./statistics.mjs";

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

/** `aim` is of a row: at most (or, where more is better, at least) a number, so much `over` another row, or a factor of another row. */
function judgeAim({ row, text, bound, over, against, factor }, { better, unit, series }) {
  const values = series(row);
  const found = () => {
    if (against !== undefined) return pairedRatio(values, series(against));
    if (over !== undefined) return pairedDifference(values, series(over));
    return values.length > 0 ? summary(values).median : undefined;
  };
  const [figure, wanted] = [found(), against === undefined ? bound : factor];
  if (figure === undefined) return { row, text, met: undefined };
  return {
    row,
    text,
    found: figure,
    wanted,
    unit: against === undefined ? unit : "x",
    met: better === "lower" ? figure <= wanted : figure >= wanted,
  };
}
