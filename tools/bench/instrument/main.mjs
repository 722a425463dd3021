/**
 * What checkpoints in WebAssembly modules cost: `npm run bench:instrument`. Prints the tables of docs/wasm-limits.md:
 * time relative to the original, for eight guests and both tiers of V8; and how long it takes to put them in.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = join(fileURLToPath(import.meta.url), "..", "..", "..", "..");
const guests = join(root, "target", "wasm32-unknown-unknown", "release", "anyplug_bench_guests.wasm");
const cargo = (...args) => execFileSync("cargo", args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
const wasm = ["--lib", "--crate-type", "cdylib", "--target", "wasm32-unknown-unknown", "--locked", "-q"];

cargo("rustc", "-p", "anyplug-bench-guests", "--release", ...wasm);
cargo("build", "--profile", "fast", "-q", "--locked", "-p", "anyplug-instrument", "--example", "instrument");
execFileSync(process.execPath, [join(root, "tools", "nx-polyglot", "instrumenter.mjs")], { cwd: root });

relativeTimes();
loadTimes();

function relativeTimes() {
  // The middle of three: another process on the machine can disturb one.
  const tiers = ["--no-liftoff", "--liftoff-only"].map((tier) => {
    const runs = Array.from({ length: 3 }, () => inNode([tier], "times.mjs", guests));
    const middle = (name) => runs.map((run) => run[name]).sort((one, other) => one - other)[1];
    return Object.fromEntries(Object.keys(runs[0]).map((name) => [name, middle(name)]));
  });
  console.log("| guest | optimised tier | first tier |\n| --- | --- | --- |");
  for (const [name, ratio] of Object.entries(tiers[0])) {
    console.log(`| ${name} | ${ratio.toFixed(2)} | ${tiers[1][name].toFixed(2)} |`);
  }
  const means = tiers.map((ratios) => geometricMean(Object.values(ratios)).toFixed(2));
  console.log(`| geometric mean | ${means.join(" | ")} |\n`);
}

function loadTimes() {
  console.log("| module | bytes | grows by | native ms | as a module ms |\n| --- | --- | --- | --- | --- |");
  const plugins = ["bench-plugin", "eliza-classic", "test-plugin"].flatMap((name) => [
    join(root, "plugins", name, "rust", "bin", `${name}.wasm`),
    join(root, "plugins", name, "ts", "bin", `${name}.wasm`),
  ]);
  for (const file of [guests, ...plugins].filter((path) => existsSync(path))) {
    const native = JSON.parse(
      execFileSync(join(root, "target", "fast", "examples", "instrument"), [file], { encoding: "utf8" }),
    );
    const { ms } = inNode([], "load.mjs", file);
    const growth = `${((native.made / native.bytes - 1) * 100).toFixed(1)} %`;
    console.log(
      `| ${basename(file)} | ${readFileSync(file).length} | ${growth} | ${native.ms.toFixed(1)} | ${ms.toFixed(1)} |`,
    );
  }
}

function inNode(flags, script, file) {
  const path = join(root, "tools", "bench", "instrument", script);
  return JSON.parse(execFileSync(process.execPath, [...flags, path, file], { encoding: "utf8" }));
}

function geometricMean(ratios) {
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
}
