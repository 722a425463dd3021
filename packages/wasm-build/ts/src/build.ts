/** The steps from a plugin's source to its module. */

import { readFile } from "node:fs/promises";
import { Hello } from "@anyplug/protocol/anyplug/wire/v1/hello.js";
import { bundlePlugin } from "./bundle.js";
import { BuildError } from "./error.js";
import { compileProgram, runProgram } from "./program.js";
import { writeModule } from "./write.js";

/** How a plugin is built. */
export interface BuildOptions {
  /** The path of the module that exports `plugin`. */
  readonly entry: string;
}

/** A plugin as a module. */
export interface BuiltPlugin {
  /** The module. */
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** The plugin's name, as `definePlugin` was given it. */
  readonly name: string;
  readonly version: string;
}

const abiVersion = 1;
const runtime = "typescript anyplug/0.1.0 quickjs";

/**
 * Returns the plugin at `entry` as a WebAssembly module that speaks the embedded ABI. The same source gives the same bytes.
 *
 * @throws BuildError (rejects) when the plugin cannot be bundled, throws while it is read, or exports no plugin.
 */
export async function buildPlugin({ entry }: BuildOptions): Promise<BuiltPlugin> {
  const program = await bundlePlugin(entry);
  const engine = await readEngine();
  const module = await WebAssembly.compile(engine);
  const { name, version, memory, state } = runProgram(module, compileProgram(module, program));
  if (name === "") throw new BuildError(`${entry} exports no "plugin" that definePlugin made; export one`);
  const hello = Hello.encode(Hello.fromPartial({ name, version, runtime })).finish();
  const section = new Uint8Array(4 + hello.length);
  new DataView(section.buffer).setUint32(0, abiVersion, true);
  section.set(hello, 4);
  return { wasm: writeModule(engine, { memory, state, section }), name, version };
}

async function readEngine(): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(new URL("../dist-engine/engine.wasm", import.meta.url)));
}
