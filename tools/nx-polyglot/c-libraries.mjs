/** Compiles what is written in C: plugins as shared libraries, where their plugin.json says they are, the libraries and the host of test/ffi, and the libraries of test/elizaos. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { installBytes, root } from "./plugin-files.mjs";

const compiler = process.env.CC || "cc";
const flags = "-std=c11 -Wall -Wextra -pedantic -Werror -O2 -fPIC -fvisibility=hidden -pthread".split(" ");
const posix = "-D_POSIX_C_SOURCE=200809L";
const suffix = { darwin: ".dylib", win32: ".dll" }[process.platform] ?? ".so";
const plugin = join(root, "plugins/test-plugin/c");
const tests = join(root, "test/ffi");
/** Of ElizaOS's C ABI. */
const strings = join(root, "test/elizaos/library");

if (spawnSync(compiler, ["--version"]).error !== undefined) {
  console.error(
    `There is no C compiler ${compiler} on this machine: install one, which Rust needs to link as well, or name yours by CC`,
  );
  process.exit(1);
}
const work = mkdtempSync(join(tmpdir(), "anyplug-c-"));
try {
  const whole = compile(join(plugin, "plugin.c"), [], join(plugin, "bin", `libtest-plugin${suffix}`));
  for (const name of ["late", "busy", "crash"]) {
    compile(join(tests, "c/late.c"), [posix, `-D${name}`], library(name));
  }
  for (const build of [1, 2, 3]) {
    compile(join(tests, "c/rebuilt.c"), [`-DVERSION="0.1.${build}"`], library(`rebuilt-${build}`));
  }
  compile(join(tests, "c/driver.c"), [posix], join(tests, "bin/driver"), "program");
  const elizaos = JSON.parse(readFileSync(join(strings, "cases.json"), "utf8"));
  for (const name of new Set([...elizaos.refused, ...elizaos.lacking].map((one) => one.library))) {
    const to = join(strings, "bin", `${name}.so`);
    if (name === "text") installBytes(Buffer.from("This is no shared library.\n".repeat(10)), to, 0o755);
    else if (name === "own") installBytes(whole, to, 0o755);
    else if (name !== "absent") compile(join(strings, "c/library.c"), [`-D${name}`], to);
  }
  const made = {
    text: () => Buffer.from("This is no shared library, whatever its name says.\n".repeat(10)),
    empty: () => Buffer.alloc(0),
    cut_off: () => whole.subarray(0, whole.length >> 1),
    other_machine: () => otherMachine(whole),
  };
  for (const { name, file } of JSON.parse(readFileSync(join(tests, "cases.json"), "utf8"))) {
    if (name in made) installBytes(made[name](), library(name), 0o755);
    else if (file === undefined) compile(join(tests, "c/refused.c"), [`-D${name}`], library(name));
  }
} finally {
  rmSync(work, { recursive: true });
}

function library(name) {
  return join(tests, "bin", `${name}.so`);
}

/** Compiles a file, and returns what became of it. */
function compile(source, options, installed, kind = "library") {
  const built = join(work, basename(installed));
  const include = `-I${join(root, "packages/ffi/include")}`;
  const shared = kind === "library" ? ["-shared"] : ["-fPIE"];
  execFileSync(compiler, [...flags, ...shared, include, ...options, source, "-o", built, "-ldl"], { stdio: "inherit" });
  const bytes = readFileSync(built);
  installBytes(bytes, installed, 0o755);
  return bytes;
}

/** The same for a processor that nobody has: ELF says which at offset 18. */
function otherMachine(bytes) {
  const changed = Buffer.from(bytes);
  changed.writeUInt16LE(2, 18);
  return changed;
}
