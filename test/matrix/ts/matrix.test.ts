/** A host in TypeScript and plugins in every language, over every transport: the behaviours of test/matrix/behaviours.json. */

import { afterAll, describe, expect, test } from "@jest/globals";
import type { Behaviour } from "./behaviour.js";
import { callbacks } from "./callbacks.js";
import { calls } from "./calls.js";
import { Cell } from "./cell.js";
import { ends } from "./ends.js";
import { limits } from "./limits.js";
import { behavioursWanted, cellsWanted, notApplicable } from "./list.js";
import { processes } from "./process.js";
import { isAsked, report } from "./report.js";
import { schemas } from "./schemas.js";
import { streams } from "./streams.js";

const behaviours: Record<string, Behaviour> = {
  ...calls,
  ...streams,
  ...ends,
  ...callbacks,
  ...limits,
  ...processes,
  ...schemas,
};

test("this suite has the behaviours of the list, each once", () => {
  expect(Object.keys(behaviours).sort()).toEqual(behavioursWanted.map(({ name }) => name).sort());
});

const cells = cellsWanted.filter(isAsked).map(({ language, transport }) => new Cell(language, transport));

describe.each(cells)("$name", (cell) => {
  afterAll(() => cell.close());

  for (const wanted of behavioursWanted) {
    const { name } = wanted;
    const why = notApplicable(wanted, cell.transport);
    if (why !== undefined) report(cell, name, "not applicable");
    else {
      test(name, async () => {
        const behaviour = behaviours[name];
        if (behaviour === undefined) throw new Error(`test/matrix/ts lacks ${name}`);
        const begun = performance.now();
        let result: "passed" | "failed" = "failed";
        try {
          await behaviour(cell);
          result = "passed";
        } finally {
          report(cell, name, result, performance.now() - begun);
        }
      });
    }
  }
});
