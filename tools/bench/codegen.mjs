/**
 * What it takes to generate a thousand messages for each language, and to import them in Python: seconds, of three runs the fastest.
 *
 *     node tools/bench/codegen.mjs [count]
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { hugeSchema } from "../protoc-gen-anyplug/test/huge.mjs";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "anyplug-codegen-"));
const plugin = { local: ["node", join(root, "tools/protoc-gen-anyplug/dist/main.js")], strategy: "all" };
const targets = {
  TypeScript: [{ ...plugin, out: "ts", opt: "target=ts" }],
  Rust: [
    { local: join(root, "target/fast/protoc-gen-prost"), out: "rust", strategy: "all" },
    { ...plugin, out: "rust", opt: "target=rust" },
  ],
  Python: [{ ...plugin, out: "python/generated", opt: "target=python" }],
};

/** Runs a program three times and returns the seconds of the fastest, and what it wrote. */
function fastest(program, args, env = {}) {
  let best = Number.POSITIVE_INFINITY;
  let written = "";
  for (let round = 0; round < 3; round++) {
    const start = performance.now();
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, env: { ...process.env, ...env } });
    if (status !== 0) throw new Error(`${program}: ${stderr}`);
    best = Math.min(best, (performance.now() - start) / 1000);
    written = stdout.toString();
  }
  return { seconds: best, written };
}

try {
  const count = Number(process.argv[2] ?? 1000);
  for (const [name, text] of Object.entries({ ...hugeSchema(count), "buf.yaml": "version: v2\n" })) {
    mkdirSync(join(folder, dirname(name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const buf = join(root, "node_modules/.bin/buf");
  for (const [name, plugins] of Object.entries(targets)) {
    const template = JSON.stringify({ version: "v2", plugins });
    const { seconds } = fastest(buf, ["generate", "--template", template]);
    console.log(`${name}: ${count} messages generated in ${seconds.toFixed(2)} s`);
  }
  const program =
    "import time, anyplug.codegen.v1; start = time.perf_counter(); import generated.huge.v1; print(time.perf_counter() - start)";
  const path = [join(root, "packages/python/python"), join(folder, "python")].join(":");
  const env = { PYTHONPATH: path, PYTHONDONTWRITEBYTECODE: "" };
  const times = [0, 1, 2].map(() => Number(fastest(join(root, ".venv/bin/python"), ["-c", program], env).written));
  console.log(`Python: imported in ${Math.min(...times).toFixed(3)} s`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
