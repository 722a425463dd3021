/** Extism's host for JavaScript: bytes in, bytes out. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import createPlugin from "@extism/extism";
import { modulesFolder } from "../modules/modules.mjs";
import { contender, latency } from "../ts/clock.mjs";
import { freshModule, SIZES, starts } from "../ts/starts.mjs";

const KEPT_CALLS = 64;

/** @param {string} [name] of the function: "pass", or else "echo", which copies what it gets */
export async function start(name = "echo") {
  const bytes = readFileSync(join(modulesFolder, "extism.wasm"));
  const plugin = await createPlugin(await WebAssembly.compile(bytes));
  const runs = Object.entries(SIZES).map(([run, size]) => {
    const data = new Uint8Array(size).fill(7);
    let calls = 0;
    const call = async () => {
      // It keeps the bytes of all calls until it is told to let go of them, and cannot address more than 32,768 pieces.
      if (++calls % KEPT_CALLS === 0) await plugin.reset();
      const answer = await plugin.call(name, data);
      if (answer.byteLength !== size) throw new Error("an echo of another size");
    };
    return [run, (ms) => latency(ms, call, size > 4096 ? 1 : 20)];
  });
  const started = async (data) => {
    const one = await createPlugin(await WebAssembly.compile(data));
    await one.call(name, new Uint8Array(SIZES.echo16));
    return () => one.close();
  };
  return contender(
    {
      ...Object.fromEntries(runs),
      ...starts(
        () => started(freshModule(bytes)),
        () => started(bytes),
      ),
    },
    () => plugin.close(),
  );
}
