/** Builds the instrumenter (packages/wasm/instrument) as a module, and puts it where the TypeScript host imports it: `packages/wasm/ts/instrumenter`. */

import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { deflateSync } from "node:zlib";
import { installBytes, root } from "./plugin-files.mjs";

const target = "wasm32-unknown-unknown";
const crate = ["-p", "anyplug-instrument", "--lib", "--crate-type", "cdylib"];
const args = ["rustc", ...crate, "--target", target, "--profile", "wasm", "--locked"];
// It runs when a module is loaded: half as fast again for a tenth more bytes.
const env = { ...process.env, CARGO_PROFILE_WASM_OPT_LEVEL: "s" };
const { status } = spawnSync("cargo", args, { cwd: root, env, stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);

const built = readFileSync(join(root, "target", target, "wasm", "anyplug_instrument.wasm"));
// Text of base64 is compressed badly by whoever serves it: as it is, a page loads a quarter less.
const packed = deflateSync(built, { level: 9 }).toString("base64");
const source = `export const instrumenter =\n  "${packed}";\n`;
installBytes(Buffer.from(source), join(root, "packages", "wasm", "ts", "instrumenter", "instrumenter.js"));
