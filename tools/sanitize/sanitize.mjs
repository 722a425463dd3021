/**
 * `npm run sanitize`: runs the tests of plugins in shared libraries under valgrind, which sees what a host and a library do to each other's memory. It takes minutes, and is no part of `npm test`.
 */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const tests = ["ffi", "native"];

if (spawnSync("valgrind", ["--version"]).status !== 0) {
  console.error("valgrind is not installed: it is what this command runs");
  process.exit(1);
}
const names = tests.flatMap((name) => ["--test", name]);
const cargo = [
  "test",
  "--workspace",
  "--profile",
  "fast",
  "--locked",
  ...names,
  "--no-run",
  "--message-format",
  "json",
];
const built = spawnSync("cargo", cargo, {
  cwd: root,
  encoding: "utf8",
  stdio: ["ignore", "pipe", "inherit"],
  maxBuffer: 1 << 28,
});
if (built.status !== 0) process.exit(built.status ?? 1);
const programs = built.stdout
  .split("\n")
  .filter((line) => line.startsWith("{"))
  .map((line) => JSON.parse(line))
  .filter(({ executable, target }) => executable && tests.includes(target.name) && target.kind.includes("test"));
let failed = 0;
for (const { executable, manifest_path } of programs) {
  console.log(`valgrind ${executable}`);
  const options = [
    "--error-exitcode=99",
    "--exit-on-first-error=no",
    "--fair-sched=yes",
    "--quiet",
    "--num-callers=30",
  ];
  const { status } = spawnSync("valgrind", [...options, executable, "--test-threads=1"], {
    cwd: dirname(manifest_path),
    stdio: "inherit",
  });
  if (status !== 0) failed += 1;
}
console.log(failed === 0 ? `${programs.length} programs, and nothing was found` : `${failed} programs failed`);
process.exitCode = failed === 0 && programs.length > 0 ? 0 : 1;
