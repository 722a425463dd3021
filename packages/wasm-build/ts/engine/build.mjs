/**
 * Makes `engine.wasm`: QuickJS (npm `quickjs-wasi`) with the embedded ABI around it, ready to have a program put into it.
 * It takes seconds and happens once, here: who builds a plugin needs neither binaryen nor a compiler.
 */

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import binaryenApi from "binaryen";

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const binaryen = join(dirname(require.resolve("binaryen/package.json")), "bin");
const quickjs = dirname(require.resolve("quickjs-wasi/package.json"));

/** One by one: with all features binaryen writes types that Node 20 refuses. */
const features = [
  "bulk-memory",
  "bulk-memory-opt",
  "call-indirect-overlong",
  "extended-const",
  "multivalue",
  "mutable-globals",
  "nontrapping-float-to-int",
  "reference-types",
  "sign-ext",
].map((name) => `--enable-${name}`);

/** What is called while a plugin is built; a plugin's module has the ABI's functions alone. */
const whileBuilding = [
  "_initialize",
  "malloc",
  "free",
  "qjs_init",
  "qjs_run_gc",
  "qjs_set_max_stack_size",
  "qjs_set_interrupt_handler",
  "qjs_set_promise_rejection_handler",
  "qjs_compile",
  "qjs_eval_bytecode",
  "qjs_new_host_function",
  "qjs_get_global",
  "qjs_set_prop_string",
  "qjs_get_prop_string",
  "qjs_is_exception",
  "qjs_is_undefined",
  "qjs_new_object",
  "qjs_promise_state",
  "qjs_promise_result",
  "qjs_get_exception",
  "qjs_get_string",
  "qjs_free_value",
  "boot_area",
  "boot_settle",
];
const ofTheAbi = ["anyplug_abi", "anyplug_alloc", "anyplug_free", "anyplug_recv", "anyplug_call"];

const scratch = mkdtempSync(join(tmpdir(), "anyplug-engine-"));
try {
  const output = join(here, "..", "dist-engine");
  mkdirSync(output, { recursive: true });
  const module = (name) => join(scratch, name);
  for (const name of ["anyplug", "wasi"]) run("wasm-as", join(here, `${name}.wat`), "-o", module(`${name}.wasm`));
  writeFileSync(module("quickjs.wasm"), endingWithoutMemory(readFileSync(join(quickjs, "quickjs.wasm"))));
  run(
    "wasm-merge",
    ...[module("quickjs.wasm"), "quickjs"],
    ...[module("anyplug.wasm"), "env"],
    ...[module("wasi.wasm"), "wasi_snapshot_preview1"],
    ...["--skip-export-conflicts", "-o", module("merged.wasm")],
  );
  const state = readFileSync(join(here, "anyplug.wat"), "utf8").match(/(?<=export ")state_\w+/g) ?? [];
  const kept = [...ofTheAbi, ...whileBuilding, ...state, "__stack_pointer", "memory"];
  writeFileSync(module("roots.json"), JSON.stringify(rootsOf(kept)));
  // What is left was optimized by those who made it: `wasm-opt -O2` takes as long as all of this, and takes off a two hundredth.
  run("wasm-metadce", module("merged.wasm"), "--graph-file", module("roots.json"), "-o", module("engine.wasm"));
  // Renamed into place, so that nobody sees half of it; the other folder may be of another file system.
  const fresh = join(output, `engine.wasm.${process.pid}`);
  copyFileSync(module("engine.wasm"), fresh);
  renameSync(fresh, join(output, "engine.wasm"));
  copyFileSync(join(quickjs, "LICENSE"), join(output, "LICENSE.quickjs-wasi"));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function run(tool, ...args) {
  execFileSync(process.execPath, [join(binaryen, tool), ...args, ...features], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/**
 * The engine, except that it ends when its host gives it no more memory, of which a program could make little. It takes the rest first: from a memory that is as large as it may be,
 * hosts know why it ended.
 */
function endingWithoutMemory(bytes) {
  const engine = binaryenApi.readBinary(bytes);
  const { value: name } = binaryenApi.getExportInfo(engine.getExport("JS_ThrowOutOfMemory"));
  const { i32, local, memory } = engine;
  // Its one parameter is not needed any more, and counts the pages that are asked for at once.
  const pages = () => local.get(0, binaryenApi.i32);
  const body = [
    local.set(0, i32.const(16_384)),
    engine.loop(
      "rest",
      engine.block(null, [
        engine.if(i32.eq(memory.grow(pages()), i32.const(-1)), local.set(0, i32.shr_u(pages(), i32.const(1)))),
        engine.br("rest", pages()),
      ]),
    ),
    engine.unreachable(),
  ];
  binaryenApi.Function.setBody(engine.getFunction(name), engine.block(null, body));
  return engine.emitBinary();
}

/** What has to stay: the exports, and what they reach. */
function rootsOf(names) {
  return names.map((name) => ({ name, export: name, root: true }));
}
