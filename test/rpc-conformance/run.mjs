/**
 * Runs the RPC conformance suite of Connect, with a client and a server of ours in every language against each other, over every transport.
 *
 *     node test/rpc-conformance/run.mjs                   fails when a test fails that is not in known-failures.txt, when one of those passes, when the suite has
 *                                                         other schemas than descriptors.binpb, and when the table of docs/conformance.md is not what came out
 *     node test/rpc-conformance/run.mjs --write           writes the table into docs/conformance.md, and the suite's schemas into descriptors.binpb
 *     node test/rpc-conformance/run.mjs --client Rust     runs some cells: those of a client, a --server or a --transport
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { runCell } from "./src/cell.mjs";
import { cells, languages, root } from "./src/programs.mjs";
import { table } from "./src/report.mjs";
import { suite } from "./src/suite.mjs";
import { knownFailures, writeConfiguration, writeTemplates } from "./src/templates.mjs";

/** Cells that run at once: much of each is waiting for deadlines. */
const atOnce = 3;

const text = { type: "string" };
const { values } = parseArgs({ options: { write: { type: "boolean" }, client: text, server: text, transport: text } });
const page = join(root, "docs/conformance.md");
const place = /(<!-- table of test\/rpc-conformance\/run\.mjs -->\n)([\s\S]*?)(<!-- end -->)/;
const chosen = cells.filter((cell) => Object.entries(cell).every(([part, value]) => (values[part] ?? value) === value));

/** In the form of jest's, which `npm test` adds up. */
function totals({ passed, failed, skipped }) {
  const parts = [failed && `${failed} failed`, skipped && `${skipped} skipped`, `${passed} passed`].filter(Boolean);
  console.log(`Tests: ${parts.join(", ")}, ${passed + failed + skipped} total`);
}

/** The suite's schemas are those that the programs were generated from. */
function checkSchemas(proto, folder) {
  const committed = join(root, "test/rpc-conformance/descriptors.binpb");
  const names = ["client_compat", "server_compat"].map((name) =>
    join(proto, `connectrpc/conformance/v1/${name}.proto`),
  );
  const own = join(folder, "descriptors.binpb");
  const options = ["--as-file-descriptor-set", "--exclude-source-info", "-o", values.write ? committed : own];
  execFileSync("buf", ["build", proto, ...options, ...names.flatMap((name) => ["--path", name])], {
    env: { ...process.env, PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}` },
    stdio: "inherit",
  });
  if (values.write || readFileSync(own).equals(readFileSync(committed))) return [];
  return [
    "the suite has other schemas than descriptors.binpb: node test/rpc-conformance/run.mjs --write, then npm run generate",
  ];
}

async function runCells(paths, folder) {
  const templates = writeTemplates(paths.templates, folder);
  const configurations = [true, false].map((hasTls) => writeConfiguration(folder, hasTls));
  const results = [];
  const left = [...chosen];
  const worker = async () => {
    for (let cell = left.shift(); cell !== undefined; cell = left.shift()) {
      // One address is enough for the tests by TLS.
      const configuration = configurations[cell.transport === "unix" ? 0 : 1];
      const options = { runner: paths.runner, configuration, templates, known: knownFailures(cell.transport) };
      const result = await runCell(options, cell);
      results.push({ ...cell, ...result });
      const { client, server, transport } = cell;
      const counts = `${result.passed} passed, ${result.known} known, ${result.failures.length} failed`;
      console.error(`client in ${client}, server in ${server}, ${transport}: ${counts}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

async function main() {
  let paths;
  try {
    paths = await suite(join(root, ".cache"), (text) => console.error(`${text} …`));
  } catch (error) {
    console.log(`The RPC conformance suite is skipped on this machine: ${error.message}`);
    totals({ passed: 0, failed: 0, skipped: cells.length });
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), "anyplug-rpc-conformance-"));
  try {
    const problems = checkSchemas(paths.proto, folder);
    const results = await runCells(paths, folder);
    const report = table(results, languages);
    console.log(`\n${report}\n`);
    for (const { client, server, transport, failures } of results) {
      problems.push(...failures.map((text) => `client in ${client}, server in ${server}, ${transport}: ${text}`));
    }
    if (chosen.length === cells.length) problems.push(...checkTable(report));
    for (const problem of problems) console.log(problem);
    // A failure that is known is as it should be.
    const passed = results.reduce((sum, one) => sum + one.passed + one.known, 0);
    totals({ passed, failed: problems.length, skipped: 0 });
    return problems.length === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function checkTable(report) {
  const text = readFileSync(page, "utf8");
  if (values.write) {
    writeFileSync(
      page,
      text.replace(place, (_all, begin, _old, end) => `${begin}\n${report}\n\n${end}`),
    );
    return [];
  }
  if (place.exec(text)?.[2].trim() === report) return [];
  return ["the table of docs/conformance.md is not this one: node test/rpc-conformance/run.mjs --write"];
}

process.exitCode = await main();
