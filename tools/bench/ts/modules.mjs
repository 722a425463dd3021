/** anyplug's own host, and plugins that are WebAssembly modules. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Bench } from "@anyplug/generated/anyplug/bench/v1/bench_anyplug.js";
import { Eliza } from "@anyplug/generated/eliza_classic/v1/eliza_anyplug.js";
import { loadPlugin } from "anyplug";
import { modulesFolder } from "../modules/modules.mjs";
import { contender, latency, operation } from "./clock.mjs";
import { freshFile, SIZES, starts } from "./starts.mjs";

const modules = {
  rust: "plugins/bench-plugin/rust/bin/bench-plugin.wasm",
  ts: "plugins/bench-plugin/ts/bin/bench-plugin.wasm",
  bare: join(modulesFolder, "bare.wasm"),
};
const request = { text: "Men are all alike.", sessionId: "bench" };

/** @param {string} guest "rust", "ts" or "bare" */
export async function start(guest, name) {
  if (name === "direct-eliza") return elizaAlone();
  const isSync = name === "wasm-sync";
  const file = modules[guest];
  const plugin = await loadPlugin(file);
  const eliza =
    guest === "bare" ? undefined : await loadPlugin(`plugins/eliza-classic/${guest}/bin/eliza-classic.wasm`);
  const close = async () => {
    await plugin.close();
    await eliza?.close();
  };
  const made = (path) => async () => {
    const one = await loadPlugin(path);
    await one.client(Bench).echo({ data: new Uint8Array(SIZES.echo16) });
    return () => one.close();
  };
  const bytes = readFileSync(file);
  return contender(
    {
      ...(isSync ? syncEchoes(plugin) : echoes(plugin)),
      ...(eliza && { eliza: isSync ? syncReplies(eliza) : replies(eliza) }),
      ...starts(() => freshFile(bytes, (path) => made(path)()), made(file)),
    },
    close,
  );
}

async function elizaAlone() {
  const eliza = await loadPlugin("plugins/eliza-classic/ts", { transport: "direct" });
  return contender({ eliza: replies(eliza) }, () => eliza.close());
}

function echoes(plugin) {
  const bench = plugin.client(Bench);
  return each((data, batch) => async (ms) => {
    const call = async () => checked(await bench.echo({ data }), data);
    return await latency(ms, call, batch);
  });
}

function syncEchoes(plugin) {
  const bench = plugin.syncClient(Bench);
  return each((data) => (ms) => operation(ms, () => checked(bench.echo({ data }), data)));
}

const replies = (plugin) => {
  const eliza = plugin.client(Eliza);
  return (ms) => latency(ms, () => eliza.reply(request), 10);
};

const syncReplies = (plugin) => {
  const eliza = plugin.syncClient(Eliza);
  return (ms) => operation(ms, () => eliza.reply(request));
};

/** A run for each size; `batch` calls take about as long as a look at the clock is worth. */
function each(run) {
  return Object.fromEntries(
    Object.entries(SIZES).map(([name, size]) => [name, run(new Uint8Array(size).fill(7), size > 4096 ? 1 : 100)]),
  );
}

function checked(response, data) {
  if (response.data.length !== data.length) throw new Error("an echo of another size");
}
