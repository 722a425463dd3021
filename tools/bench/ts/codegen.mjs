/** Generates code from a schema of a thousand messages, and imports what is generated in Python. A round is one run, however long it takes. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { root } from "../../bootstrap/setup/paths.mjs";
import { hugeSchema } from "../../protoc-gen-anyplug/test/huge.mjs";

const MESSAGES = 1000;

const plugin = join(root, "tools/protoc-gen-anyplug/dist/main.js");
const buf = join(root, "node_modules/.bin/buf");

/** @param {string} what "build", which compiles the schema alone, or the language to generate for */
export function start(what) {
  const folder = mkdtempSync(join(tmpdir(), "anyplug-codegen-"));
  for (const [name, text] of Object.entries({ ...hugeSchema(MESSAGES), "buf.yaml": "version: v2\n" })) {
    mkdirSync(join(folder, dirname(name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const plugins = [{ local: ["node", plugin], strategy: "all", out: "out/generated", opt: `target=${what}` }];
  const template = JSON.stringify({ version: "v2", plugins });
  const generate = what === "build" ? ["build"] : ["generate", "--template", template];
  const runs = {
    generate: () => timed(() => run(buf, generate, folder)),
    import: () => {
      // What is imported is there, and the second time compiled.
      for (const args of [generate, undefined]) args ? run(buf, args, folder) : imported(folder);
      return imported(folder);
    },
  };
  return {
    run: (name) => ({ value: runs[name]() }),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function timed(work) {
  const begin = performance.now();
  work();
  return (performance.now() - begin) / 1000;
}

/** Seconds that the import takes, without those of what it stands on. */
function imported(folder) {
  const program =
    "import time, anyplug.codegen.v1; start = time.perf_counter(); import generated.huge.v1; print(time.perf_counter() - start)";
  const path = [join(root, "packages/python/python"), join(folder, "out")].join(":");
  const env = { PYTHONPATH: path, PYTHONDONTWRITEBYTECODE: "" };
  return Number(run(join(root, ".venv/bin/python"), ["-c", program], folder, env));
}

function run(program, args, cwd, env = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, env: { ...process.env, ...env } });
  if (status !== 0) throw error ?? new Error(`${program}: ${stderr}`);
  return stdout.toString();
}
