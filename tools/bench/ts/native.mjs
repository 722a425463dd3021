/** Plugins that are shared libraries in this process, and a C function called by koffi alone. */
import process from "node:process";
import { Bench } from "@anyplug/generated/anyplug/bench/v1/bench_anyplug.js";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { loadPlugin } from "anyplug";
import koffi from "koffi";
import { contender, latency, operation } from "./clock.mjs";

/** The bytes of each echo. */
const SIZES = { echo64: 64, echo64k: 64 << 10 };
/** In Rust by the SDK, and in C by the header alone, which shows what the host costs. */
const plugins = { rust: ["plugins/bench-plugin/rust", Bench], c: ["plugins/test-plugin/c", Test] };

/** @param {string} language "rust" or "c" */
export async function start(language, name) {
  if (name === "ffi-raw") return contender(each((data) => (ms) => operation(ms, copies(data))));
  const [folder, service] = plugins[language];
  const plugin = await loadPlugin(folder, { transport: "ffi" });
  const runs = name === "ffi-sync" ? syncEchoes(plugin.syncClient(service)) : echoes(plugin.client(service));
  return contender(runs, () => plugin.close());
}

const echoes = (client) =>
  each((data, batch) => (ms) => latency(ms, async () => checked(await client.echo({ data }), data), batch));

const syncEchoes = (client) => each((data) => (ms) => operation(ms, () => checked(client.echo({ data }), data)));

/** A C function that copies the bytes to where its caller wants them. */
function copies(data) {
  const library = koffi.load(process.platform === "win32" ? "ucrtbase.dll" : null);
  const copy = library.func("memcpy", "uint64_t", ["uint64_t", "uint64_t", "uint64_t"]);
  const room = new Uint8Array(new ArrayBuffer(Math.max(data.length, 128)));
  const [to, from] = [room, data].map((bytes) => Number(koffi.address(bytes)));
  return () => copy(to, from, data.length);
}

/** A run for each size; `batch` calls take about as long as a look at the clock is worth. */
function each(run) {
  const data = (size) => new Uint8Array(new ArrayBuffer(Math.max(size, 128)), 0, size).fill(7);
  return Object.fromEntries(
    Object.entries(SIZES).map(([name, size]) => [name, run(data(size), size > 4096 ? 1 : 100)]),
  );
}

function checked(response, data) {
  if (response.data.length !== data.length) throw new Error("an echo of another size");
}
