/** A host in TypeScript and plugins in every language, over every transport: the behaviours of test/matrix/behaviours.json. */

import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "@jest/globals";
import type { Behaviour } from "./behaviour.js";
import { callbacks } from "./callbacks.js";
import { calls } from "./calls.js";
import { Cell } from "./cell.js";
import { ends } from "./ends.js";
import { limits } from "./limits.js";
import { processes } from "./process.js";
import { schemas } from "./schemas.js";
import { streams } from "./streams.js";

const wanted: { name: string; transports?: string[] }[] = JSON.parse(
  readFileSync(new URL("../behaviours.json", import.meta.url), "utf8"),
);
const behaviours: Record<string, Behaviour> = {
  ...calls,
  ...streams,
  ...ends,
  ...callbacks,
  ...limits,
  ...processes,
  ...schemas,
};

const cells = [
  new Cell("typescript", "direct"),
  ...(["typescript", "python", "rust"] as const).flatMap((language) => [
    new Cell(language, "process"),
    new Cell(language, "stdio"),
    new Cell(language, "unix"),
    new Cell(language, "tcp"),
  ]),
];

test("this suite has the behaviours of the list, each once", () => {
  expect(Object.keys(behaviours).sort()).toEqual(wanted.map(({ name }) => name).sort());
});

describe.each(cells)("$name", (cell) => {
  afterAll(() => cell.close());

  const possible = wanted.filter(({ transports }) => transports?.includes(cell.transport) ?? true);
  test.each(possible)("$name", async ({ name }) => {
    const behaviour = behaviours[name];
    if (behaviour === undefined) throw new Error(`test/matrix/ts lacks ${name}`);
    await behaviour(cell);
  });
});
