import { expect, test } from "@jest/globals";
import { judge } from "../judge.mjs";
import { pairedRatio, quantile, summary } from "../statistics.mjs";

test("a quantile lies between the two values next to it", () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([7], 0.9)).toBe(7);
  expect(summary([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])).toEqual({ median: 6, p10: 2, p90: 10 });
});

test("a round that slowed both down does not change their ratio", () => {
  expect(pairedRatio([2, 200, 2], [1, 100, 1])).toBe(2);
});

test("rounds that one of the two lacks are left out of their ratio", () => {
  expect(pairedRatio([2, 4], [1])).toBe(2);
  expect(pairedRatio([2], [])).toBeUndefined();
  expect(pairedRatio([2], [0])).toBeUndefined();
});

const rows = [
  { id: "ours", label: "anyplug", kind: "ours" },
  { id: "theirs", label: "the peer", kind: "peer" },
  { id: "bare", label: "bare", kind: "limit" },
];
const table = { id: "t", title: "T", unit: "us", better: "lower", rows, limit: "bare", peer: "theirs" };

function judged(aims, series, better = "lower") {
  const results = new Map(rows.map((row) => [row, { values: series[row.id] ?? [], p99s: [] }]));
  return judge({ ...table, better, aims }, results);
}

test("a row stands beside the peer and the limit", () => {
  const [ours, theirs, bare] = judged([], { ours: [3, 3, 3], theirs: [6, 6, 6], bare: [1, 1, 1] }).rows;
  expect(ours).toMatchObject({ median: 3, toLimit: 3, toPeer: 0.5 });
  expect(theirs).toMatchObject({ toLimit: 6, toPeer: undefined });
  expect(bare).toMatchObject({ toLimit: undefined });
});

test.each([
  ["lower", { row: "ours", bound: 3 }, true],
  ["lower", { row: "ours", bound: 2.9 }, false],
  ["lower", { row: "ours", against: "theirs", factor: 0.5 }, true],
  ["lower", { row: "ours", against: "bare", factor: 2 }, false],
  ["lower", { row: "ours", over: "bare", bound: 2 }, true],
  ["lower", { row: "ours", over: "bare", bound: 1.9 }, false],
  ["higher", { row: "ours", bound: 3 }, true],
  ["higher", { row: "ours", bound: 4 }, false],
])("where %s is better, %j is met: %s", (better, aim, met) => {
  const { aims } = judged([{ ...aim, text: "an aim" }], { ours: [3, 3], theirs: [6, 6], bare: [1, 1] }, better);
  expect(aims).toMatchObject([{ text: "an aim", met }]);
});

test("nothing at all is less than an aim of less", () => {
  expect(judged([{ row: "ours", bound: 0.5, text: "idle" }], { ours: [0, 0] }).aims).toMatchObject([{ met: true }]);
});

test("what was not measured neither meets nor misses its aim, and says why", () => {
  const aim = { row: "ours", against: "theirs", factor: 1, text: "an aim" };
  const { aims, rows: figures } = judged([aim], { ours: [3] });
  expect(aims).toEqual([{ row: "ours", text: "an aim", met: undefined }]);
  expect(judged([{ row: "ours", over: "theirs", bound: 1, text: "an aim" }], { ours: [3] }).aims).toEqual(aims);
  expect(figures[1]).toMatchObject({ error: "nothing was measured" });
});
