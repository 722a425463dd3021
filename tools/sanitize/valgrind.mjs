/** Valgrind over the Rust host's tests of libraries: nothing is compiled anew. */
import { dirname } from "node:path";
import { isThere, output, succeeds } from "./run.mjs";
import { testPrograms } from "./rust.mjs";

const tests = ["ffi", "native", "library_plugin"];

export function valgrindTools() {
  return [
    {
      name: "valgrind",
      over: "Memcheck over the Rust tests of libraries, ours and with ElizaOS's ABI",
      missing: isThere("valgrind", "--version") ? undefined : "valgrind",
      run: () => ({ failed: check() }),
    },
  ];
}

function check() {
  const names = tests.flatMap((name) => ["--test", name]);
  const cargo = ["test", "--workspace", "--profile", "fast", "--locked", ...names];
  const built = output("cargo", [...cargo, "--no-run", "--message-format", "json"]);
  const programs = built === undefined ? [] : testPrograms(built, tests);
  if (programs.length < tests.length) return ["cargo"];
  const options = [
    "--error-exitcode=99",
    "--exit-on-first-error=no",
    "--fair-sched=yes",
    "--quiet",
    "--num-callers=30",
  ];
  const isGood = ({ program, manifest }) =>
    succeeds("valgrind", [...options, program, "--test-threads=1"], { cwd: dirname(manifest) });
  return programs.filter((program) => !isGood(program)).map(({ name }) => name);
}
