/** Tells `npm run matrix`, which runs this suite, what it asks for and what came out. */

import { appendFileSync } from "node:fs";

interface Place {
  readonly language: string;
  readonly transport: string;
}

/** Whether this cell is among those asked for; by default all are. */
export function isAsked({ language, transport }: Place): boolean {
  const { ANYPLUG_MATRIX_CELLS: cells } = process.env;
  return cells === undefined || cells.split(",").includes(`${language}-${transport}`);
}

/** Writes one result, where somebody collects them. */
export function report({ language, transport }: Place, behaviour: string, result: string, ms = 0): void {
  const { ANYPLUG_MATRIX_RESULTS: file } = process.env;
  if (file === undefined) return;
  const line = JSON.stringify({ plugin: language, transport, behaviour, result, ms: Math.round(ms) });
  appendFileSync(file, `${line}\n`);
}
