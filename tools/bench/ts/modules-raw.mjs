/** A module that is called by hand: bytes are copied in, a pointer and a length come back, bytes are copied out. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { modulesFolder } from "../modules/modules.mjs";
import { contender, operation } from "./clock.mjs";
import { freshModule, SIZES, starts } from "./starts.mjs";

export function start() {
  const bytes = readFileSync(join(modulesFolder, "raw.wasm"));
  const module = new WebAssembly.Module(bytes);
  const echo = instance(module);
  const runs = Object.entries(SIZES).map(([name, size]) => {
    const data = new Uint8Array(size).fill(7);
    const call = () => {
      if (echo(data).length !== size) throw new Error("an echo of another size");
    };
    return [name, (ms) => operation(ms, call)];
  });
  const started = (from) => {
    const one = instance(from);
    one(new Uint8Array(SIZES.echo16));
    // What it would end is held until then.
    return () => void one;
  };
  return contender({
    ...Object.fromEntries(runs),
    ...starts(
      async () => started(new WebAssembly.Module(freshModule(bytes))),
      async () => started(module),
    ),
  });
}

function instance(module) {
  const { memory, alloc, echo, from } = new WebAssembly.Instance(module).exports;
  let view = new Uint8Array(memory.buffer);
  return (data) => {
    const at = alloc(data.length);
    if (view.length === 0) view = new Uint8Array(memory.buffer);
    view.set(data, at);
    const size = echo(at, data.length);
    const start = from();
    return view.slice(start, start + size);
  };
}
