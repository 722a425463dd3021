/**
 * What the nightly toolchain of Rust has. Each has a target folder of its own: with other flags all is compiled again. Host and plugin are compiled alike, for a library that is checked cannot be loaded by a
 * program that is not.
 */
import { dirname, join } from "node:path";
import { isThere, output, root, succeeds } from "./run.mjs";

const target = "x86_64-unknown-linux-gnu";
const package_ = ["-p", "native-trial", "--no-default-features", "--profile", "fast", "--locked"];

export function rustTools() {
  const missing = missingToolchain();
  return [
    {
      name: "address",
      over: "AddressSanitizer over the Rust host and plugin, in a library and in one program",
      missing,
      // What the standard library and tokio keep in statics goes with a library, and is counted by the reloads.
      run: () => ({ failed: sanitize("address", "asan", [], { ASAN_OPTIONS: "detect_leaks=0" }) }),
    },
    {
      name: "thread",
      over: "ThreadSanitizer over the Rust host and plugin, in a library and in one program",
      missing: missing ?? missingComponent("rust-src"),
      // The standard library has to be compiled with it as well.
      run: () => ({ failed: sanitize("thread", "tsan", ["-Zbuild-std"], { TSAN_OPTIONS: "halt_on_error=0" }) }),
    },
    {
      name: "miri",
      over: "Miri over the Rust host and plugin in one program, for it loads no library",
      missing: missing ?? missingComponent("miri"),
      run: () => ({ failed: interpret() }),
    },
  ];
}

/** The test programs that cargo tells of in its messages. */
export function testPrograms(messages, names) {
  const told = messages.split("\n").filter((line) => line.startsWith("{"));
  return told
    .map((line) => JSON.parse(line))
    .filter(({ executable, target }) => executable && names.includes(target.name) && target.kind.includes("test"))
    .map(({ executable, manifest_path, target }) => ({
      name: target.name,
      program: executable,
      manifest: manifest_path,
    }));
}

function missingToolchain() {
  if (process.platform !== "linux" || process.arch !== "x64") return "Linux on x86_64";
  return isThere("cargo", "+nightly", "--version") ? undefined : "a nightly of Rust: rustup toolchain install nightly";
}

function missingComponent(name) {
  const installed = output("rustup", ["+nightly", "component", "list", "--installed"]) ?? "";
  const isInstalled = installed.split("\n").some((line) => line.startsWith(name));
  return isInstalled ? undefined : `it of the nightly: rustup +nightly component add ${name}`;
}

function sanitize(kind, prefix, more, options) {
  const names = ["native", "in_place"];
  const env = {
    // A library finds what it calls of the sanitizer in the program.
    RUSTFLAGS: `-Zsanitizer=${kind} -Cforce-frame-pointers=yes -Clink-arg=-Wl,--export-dynamic-symbol=__${prefix}_*`,
    CARGO_PROFILE_FAST_DEBUG: "line-tables-only",
    CARGO_INCREMENTAL: "0",
    ...options,
  };
  const folder = join(root, "target/sanitize", kind);
  const tests = names.flatMap((name) => ["--test", name]);
  const args = ["+nightly", "test", ...package_, ...more, "--target", target, "--target-dir", folder, ...tests];
  const built = output("cargo", [...args, "--no-run", "--message-format", "json"], { env });
  const programs = built === undefined ? [] : testPrograms(built, names);
  if (programs.length < names.length) return ["cargo"];
  // What it costs in memory is another's to say: a sanitizer keeps what was freed.
  const skipped = ["--skip", "leaves_nothing_behind"];
  // Nor does ThreadSanitizer see that one thread's socket is handed to another by way of an epoll descriptor that was duplicated, as tokio's is.
  if (kind === "thread") skipped.push("--skip", "uses_an_http_client");
  const isGood = ({ program, manifest }) => succeeds(program, skipped, { cwd: dirname(manifest), env });
  return programs.filter((program) => !isGood(program)).map(({ name }) => name);
}

function interpret() {
  const folder = join(root, "target/sanitize/miri");
  // It asks for the time and for random numbers. Threads that wait for work are there until the program ends.
  const env = { MIRIFLAGS: "-Zmiri-disable-isolation -Zmiri-ignore-leaks" };
  const args = ["+nightly", "miri", "test", ...package_, "--target-dir", folder, "--test", "in_place"];
  return succeeds("cargo", args, { env }) ? [] : ["in_place"];
}
