/**
 * `npm run sanitize [-- TOOL…]`: what a host and a library do to each other's memory, seen by what finds its errors; at the end a table tells each tool, what it ran over, and what came of it. It takes many
 * minutes, and is no part of `npm test`. A tool that is not on this machine is named with what it needs.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { compilerTools } from "./compiler.mjs";
import { reloadTools } from "./reload.mjs";
import { rustTools } from "./rust.mjs";
import { valgrindTools } from "./valgrind.mjs";

/** Each tool: its name, what it runs over, what is missing for it (undefined: nothing), and `run`, which returns what it found (empty: nothing) and may say more. */
const work = mkdtempSync(join(tmpdir(), "anyplug-sanitize-"));
try {
  const tools = [...compilerTools(work), ...rustTools(), ...valgrindTools(), ...reloadTools()];
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !tools.some((tool) => tool.name === name));
  if (unknown.length > 0) {
    console.error(`There is no ${unknown.join(", ")}: ${tools.map(({ name }) => name).join(", ")}`);
    process.exit(1);
  }
  const rows = tools.filter(({ name }) => wanted.length === 0 || wanted.includes(name)).map(report);
  const width = (key) => Math.max(...rows.map((row) => row[key].length));
  console.log();
  for (const row of rows)
    console.log(`${row.name.padEnd(width("name"))}  ${row.over.padEnd(width("over"))}  ${row.result}`);
  if (rows.some(({ isGood }) => !isGood)) process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true });
}

function report({ name, over, missing, run }) {
  if (missing !== undefined) return { name, over, result: `not here: needs ${missing}`, isGood: true };
  console.log(`\n${name}: ${over}`);
  const since = Date.now();
  const { failed, told } = run();
  const seconds = `${Math.round((Date.now() - since) / 1000)} s`;
  const found = failed.length === 0 ? "nothing was found" : `FAILED: ${failed.join(", ")}`;
  return { name, over, result: `${told ?? found} (${seconds})`, isGood: failed.length === 0 };
}
