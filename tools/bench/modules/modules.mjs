/** The modules that are written by hand, assembled: what other ways to call a guest are measured with. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import wabt from "wabt";
import { keyOf } from "../../bootstrap/setup/memory.mjs";
import { cacheFolder, root } from "../../bootstrap/setup/paths.mjs";

const STEP = "Benchmark modules";
const own = ["bare.wat", "extism.wat", "raw.wat", "modules.mjs"].map((name) => join(import.meta.dirname, name));
const schema = join(root, "proto", "anyplug", "bench", "v1", "bench.proto");

/** Where they are: `bare.wasm`, a plugin; `raw.wasm`, a pointer and a length; `extism.wasm`, a plugin of Extism's. */
export const modulesFolder = join(cacheFolder, "bench", "modules");

/** Returns the step of set-up that assembles them, once TypeScript is built. */
export function moduleStep(memory) {
  const key = () => keyOf(root, ...[...own, schema].map((file) => readFileSync(file)));
  return {
    name: STEP,
    why: "assembled from WAT",
    isCurrent: () => memory.isCurrent(STEP, key()),
    run: async () => {
      memory.remember(STEP, key(), await assembleModules(modulesFolder));
    },
  };
}

/** Writes the modules to a folder, and returns their paths. */
export async function assembleModules(folder) {
  mkdirSync(folder, { recursive: true });
  const read = (name) => readFileSync(join(import.meta.dirname, `${name}.wat`), "utf8");
  const { text, section } = plugin(read("bare"), await hello());
  const modules = {
    bare: Buffer.concat([await assemble(text), section]),
    extism: await assemble(read("extism")),
    raw: await assemble(read("raw")),
  };
  return Object.entries(modules).map(([name, bytes]) => {
    const file = join(folder, `${name}.wasm`);
    writeFileSync(file, bytes);
    return file;
  });
}

/** What the plugin says of itself, encoded. */
async function hello() {
  const { Bench } = await import("@anyplug/generated/anyplug/bench/v1/bench_anyplug.js");
  const { Hello } = await import("@anyplug/protocol/anyplug/wire/v1/hello.js");
  const services = [
    { name: Bench.name, fingerprint: Bench.fingerprint, methods: Bench.methods.map(({ name }) => name) },
  ];
  const parts = { protocol: 1, minProtocol: 1, name: "bench-plugin", version: "0.1.0", runtime: "wat", services };
  return Hello.encode(Hello.fromPartial(parts)).finish();
}

/** The text with the hello in it, and the section with the same. */
function plugin(text, said) {
  const frame = Buffer.concat([Buffer.from("anyplug\n"), word(said.length), Buffer.from([1, 0, 0, 0]), word(0), said]);
  const content = Buffer.concat([Buffer.from("\x07anyplug"), word(1), said]);
  const escaped = [...frame].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
  return {
    text: text.replace('"HELLO"', `"${escaped}"`).replace("SIZE", `${frame.length}`),
    section: Buffer.concat([Buffer.from([0, ...leb(content.length)]), content]),
  };
}

async function assemble(text) {
  const module = (await wabt()).parseWat("module.wat", text);
  try {
    return Buffer.from(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}

function word(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function leb(value) {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}
