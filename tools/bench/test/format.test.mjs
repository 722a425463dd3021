import { expect, test } from "@jest/globals";
import { styleFor } from "../../bootstrap/setup/style.mjs";
import { aimLine, digits, tableMarkdown, tableText } from "../format.mjs";

test.each([
  [1_234_567.8, "1,234,568"],
  [123.4, "123"],
  [12.34, "12.3"],
  [1.234, "1.23"],
  [0.01234, "0.0123"],
  [0, "0"],
  [undefined, ""],
])("%p is written as %s", (value, text) => {
  expect(digits(value)).toBe(text);
});

const table = {
  title: "Host: round trip",
  unit: "us",
  better: "lower",
  limit: "bare",
  rows: [
    { label: "anyplug", kind: "ours", median: 5, p10: 4, p90: 6, p99: 20, toLimit: 2.5 },
    { label: "a peer", kind: "peer", error: "it has ended" },
    { label: "bare", kind: "limit", median: 2, p10: 2, p90: 2, p99: 3 },
  ],
  aims: [{ row: "anyplug", text: "within 2x", found: 2.5, wanted: 2, unit: "x", met: false }],
};

test("a table for the terminal has its columns below each other, the aims and what failed", () => {
  expect(tableText(table, styleFor({ isTTY: false })).split("\n")).toEqual([
    "Host: round trip",
    "             us    p10 to p90   p99  to bare",
    "anyplug    5.00  4.00 to 6.00  20.0    2.50x",
    "a peer   failed",
    "bare       2.00  2.00 to 2.00  3.00",
    "aim missed: within 2x (2.50x, aim 2.00x)",
    "a peer: it has ended",
  ]);
});

test("a table in Markdown has anyplug in bold", () => {
  expect(tableMarkdown(table)).toBe(`### Host: round trip

|  | us | p10 to p90 | p99 | to bare |
| --- | ---: | ---: | ---: | ---: |
| **anyplug** | 5.00 | 4.00 to 6.00 | 20.0 | 2.50x |
| a peer | failed |  |  |  |
| bare | 2.00 | 2.00 to 2.00 | 3.00 |  |

- aim missed: within 2x (2.50x, aim 2.00x)
`);
});

test("an aim that could not be measured says so", () => {
  expect(aimLine({ text: "within 2x", met: undefined })).toBe("aim not measured: within 2x");
});
