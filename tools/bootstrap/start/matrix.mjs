import { root } from "../setup/paths.mjs";
import { styleFor } from "../setup/style.mjs";
import { run } from "./host-program.mjs";
import { FFI_LANGUAGES, FIRST_REPLY, hostCommand, LANGUAGES, WASM_LANGUAGES } from "./languages.mjs";

const KEPT_ERROR_LINES = 5;

/** The nine pairs of host and plugin; and in every host the plugins that are WebAssembly modules and shared libraries, too. */
export const CELLS = LANGUAGES.flatMap((host) => [
  ...LANGUAGES.map((plugin) => ({ host, plugin })),
  ...WASM_LANGUAGES.map((plugin) => ({ host, plugin, transport: "wasm" })),
  ...FFI_LANGUAGES.map((plugin) => ({ host, plugin, transport: "ffi" })),
]);

/** Returns a cell that did not work, in the shape that `--json` prints. */
export function failedCell({ host, plugin, transport = null }, error) {
  return { host, plugin, transport, ok: false, reply: null, p50_us: null, error };
}

/**
 * Runs one cell: the host program loads the plugin, asks it one question and then measures 1,000 calls.
 *
 * @param {{ host: string, plugin: string, transport?: string }} pair the languages, and a transport that is not the usual one
 * @param {(host: string, root: string) => string[]} commandOf how to find the host program
 * @returns {Promise<object>} the cell; one that failed says why in `error`
 */
export async function runCell(pair, commandOf = hostCommand) {
  const [program, ...args] = commandOf(pair.host, root);
  const asked = pair.transport === undefined ? [] : ["--transport", pair.transport];
  const { stdout, stderr, problem } = await run(program, [...args, "--plugin", pair.plugin, ...asked, "--cell"]);
  const lastErrors = stderr.trim().split("\n").slice(-KEPT_ERROR_LINES).join("\n");
  let cell;
  try {
    cell = JSON.parse(stdout);
  } catch {
    const said = problem ?? `the host program printed no cell but ${JSON.stringify(stdout.slice(0, 200))}`;
    return failedCell(pair, [said, lastErrors].filter(Boolean).join("\n"));
  }
  const { transport = null, reply = null, p50_us = null } = cell;
  const error = cell.error ?? problem ?? (reply === FIRST_REPLY ? undefined : `the reply is not ${FIRST_REPLY}`);
  const ok = cell.ok === true && error === undefined;
  return { ...pair, transport, ok, reply, p50_us, ...(ok ? {} : { error: error ?? "the host program says not ok" }) };
}

/** Returns the cells as a table, a row per host and a column per plugin, module and library, followed by what went wrong. */
export function formatMatrix(cells, stream) {
  const style = styleFor(stream);
  const titles = [
    ...LANGUAGES,
    ...WASM_LANGUAGES.map((name) => `${name} as wasm`),
    ...FFI_LANGUAGES.map((name) => `${name} as library`),
  ];
  const width = Math.max(...titles.map((title) => title.length), ...cells.map((cell) => describe(cell).length)) + 2;
  const lines = [
    style.bold(["host \\ plugin".padEnd(15), ...titles.map((name) => name.padEnd(width))].join("").trimEnd()),
  ];
  for (const host of LANGUAGES) {
    const row = cells
      .filter((cell) => cell.host === host)
      .map((cell) => (cell.ok ? style.green : style.red)(describe(cell).padEnd(width)));
    lines.push(`${host.padEnd(15)}${row.join("")}`.trimEnd());
  }
  const good = cells.filter((cell) => cell.ok);
  lines.push("", `${good.length} of ${cells.length} cells answer "Men are all alike." with "${FIRST_REPLY}".`);
  for (const cell of cells.filter((one) => !one.ok)) {
    const over = cell.transport === null ? "" : ` over ${cell.transport}`;
    lines.push("", style.red(`${cell.host} host, ${cell.plugin} plugin${over}: ${cell.error}`));
  }
  return lines.join("\n");
}

function describe(cell) {
  if (!cell.ok) return "✗ failed";
  return `✓ ${cell.transport} ${formatMicroseconds(cell.p50_us)}`;
}

function formatMicroseconds(us) {
  if (typeof us !== "number") return "?";
  return us < 10 ? `${us.toFixed(1)} us` : `${Math.round(us)} us`;
}
