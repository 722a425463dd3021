/** Sessions of both cores, driven against each other with random interleavings. */

import { afterAll, beforeAll, describe, test } from "@jest/globals";
import fc from "fast-check";
import { play } from "./play.js";
import { RustSide } from "./rust-side.js";
import { scripts } from "./script.js";
import type { Side } from "./step.js";
import { TypeScriptSide } from "./typescript-side.js";

// What is generated is the same in each run, unless it is given another seed.
fc.configureGlobal({ seed: Number(process.env["ANYPLUG_SEED"] ?? 1) });

/** Two Rust sessions are driven against each other in packages/core/rust/tests/properties.rs. */
const pairs: [string, () => [Side, Side]][] = [
  ["typescript and typescript", () => [new TypeScriptSide(), new TypeScriptSide()]],
  ["typescript and rust", () => [new TypeScriptSide(), new RustSide()]],
];

describe.each(pairs)("%s", (_, make) => {
  let sides: [Side, Side];
  beforeAll(() => {
    sides = make();
  });
  afterAll(async () => {
    await Promise.all(sides.map((side) => side.end()));
  });

  // On failure fast-check prints the seed and the shortest script that it finds.
  test("whatever two sessions do, both say exactly what the protocol says", async () => {
    await fc.assert(
      fc.asyncProperty(scripts, (script) => play(script, sides)),
      { numRuns: 250 },
    );
    // Nearly all of that time is for finding the shortest script.
  });
});
