/** The DOCTOR script of 1966, which comes with the package. */

import { readFileSync } from "node:fs";
import { parseScript } from "./parse.js";
import type { Script } from "./script.js";

let parsed: Script | undefined;

/** Returns the DOCTOR script. */
export function doctor(): Script {
  parsed ??= parseScript(readFileSync(new URL("../data/doctor-1966.txt", import.meta.url), "utf8"));
  return parsed;
}
