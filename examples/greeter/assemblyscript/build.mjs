/** Compiles the greeter, and adds the section that says who it is: `bin/greeter.wasm`. */

import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const here = dirname(fileURLToPath(import.meta.url));
const output = join(here, "bin", "greeter.wasm");

const options = ["--optimize", "--use", "abort="];
const { error, stderr, binary } = await compile(["assembly/plugin.ts", ...options, "--outFile", "plugin.wasm"]);
if (error !== null || binary === undefined) {
  console.error(stderr.toString());
  process.exit(1);
}
mkdirSync(dirname(output), { recursive: true });
// Renamed into place, so that nobody sees half of it.
const fresh = `${output}.${process.pid}`;
writeFileSync(fresh, Buffer.concat([binary, section()]));
renameSync(fresh, output);

async function compile(args) {
  let binary;
  const writeFile = (name, contents) => {
    if (name.endsWith(".wasm")) binary = Buffer.from(contents);
  };
  return { ...(await asc.main([...args, "--baseDir", here], { writeFile })), binary };
}

/** A custom section `anyplug`: the version of the ABI, and a Hello with name, version and runtime. */
function section() {
  const field = (number, text) => Buffer.from([(number << 3) | 2, text.length, ...Buffer.from(text)]);
  const hello = Buffer.concat([field(3, "greeter"), field(4, "1.0.0"), field(5, "assemblyscript")]);
  const name = "anyplug";
  const body = Buffer.concat([Buffer.from([name.length, ...Buffer.from(name), 1, 0, 0, 0]), hello]);
  return Buffer.from([0, body.length, ...body]);
}
