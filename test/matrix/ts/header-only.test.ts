/** A host in TypeScript and plugins in languages that there is no SDK of ours for: what they have of test/matrix/behaviours.json. */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, test } from "@jest/globals";
import type { Behaviour } from "./behaviour.js";
import { callbacks } from "./callbacks.js";
import { calls } from "./calls.js";
import { Cell } from "./cell.js";
import { ends } from "./ends.js";
import { streams } from "./streams.js";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const wanted: { languages: ("c" | "go")[]; behaviours: string[] } = JSON.parse(
  readFileSync(path("../header-only.json"), "utf8"),
);
const known: Record<string, Behaviour> = { ...calls, ...streams, ...ends, ...callbacks };

describe.each(wanted.languages)("%s over ffi", (language) => {
  const isBuilt = existsSync(path(`../../../plugins/test-plugin/${language}/bin`));
  if (!isBuilt && language === "go" && !hasGo()) {
    test.skip("there is no Go on this machine", () => {});
    return;
  }
  const cell = new Cell(language, "ffi");
  afterAll(() => cell.close());

  test.each(wanted.behaviours)("%s", async (name) => {
    const behaviour = known[name];
    if (behaviour === undefined) throw new Error(`test/matrix/ts lacks ${name}`);
    await behaviour(cell);
  });
});

function hasGo(): boolean {
  return ["go", "/usr/local/go/bin/go"].some((go) => spawnSync(go, ["version"]).status === 0);
}
