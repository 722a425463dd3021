import { expect, test } from "@jest/globals";
import { busyness, reportMarkdown } from "../report.mjs";

const machine = {
  processor: "a processor",
  cores: 2,
  memoryGiB: 8,
  system: "linux 6.1",
  node: "v20.1.0",
  python: "3.11.1",
  rustc: "1.95.0",
  loadAverage: 0.1,
};

test("a report says what it was measured on and with, and gathers the aims", () => {
  const row = { label: "anyplug", kind: "ours", median: 1, p10: 1, p90: 1 };
  const aim = { row: "anyplug", text: "within 2x", found: 1.5, wanted: 2, unit: "x", met: true };
  const table = { title: "Calls", unit: "us", rows: [row], aims: [aim] };
  const report = reportMarkdown({ machine, peers: { orjson: "3.1" }, pace: { rounds: 9, ms: 300 }, tables: [table] });
  expect(report).toContain("2 cores (a processor), 8 GiB, linux 6.1; Node v20.1.0, Python 3.11.1, rustc 1.95.0");
  expect(report).toContain("Peers: orjson 3.1.");
  expect(report).toContain("- Calls: aim met: within 2x (1.50x, aim 2.00x)");
  expect(report).toContain("| **anyplug** | 1.00 | 1.00 to 1.00 |");
});

test("a busy machine is told of", () => {
  expect(busyness(machine)).toBe("");
  expect(busyness({ ...machine, loadAverage: 3 })).toContain("load average 3.0 on 2 cores");
});
