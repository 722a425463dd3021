/** Plugins that are shared libraries in this process. */
import { Bench } from "@anyplug/generated/anyplug/bench/v1/bench_anyplug.js";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { loadPlugin } from "anyplug";
import { contender, latency, operation } from "./clock.mjs";
import { checked, each } from "./native-raw.mjs";

/** In Rust by the SDK, and in C by the header alone, which shows what the host costs. */
const plugins = { rust: ["plugins/bench-plugin/rust", Bench], c: ["plugins/test-plugin/c", Test] };

/** @param {string} language "rust" or "c" */
export async function start(language, name) {
  const [folder, service] = plugins[language];
  const plugin = await loadPlugin(folder, { transport: "ffi" });
  const runs = name === "ffi-sync" ? syncEchoes(plugin.syncClient(service)) : echoes(plugin.client(service));
  return contender(runs, () => plugin.close());
}

const echoes = (client) =>
  each((data, batch) => (ms) => latency(ms, async () => checked((await client.echo({ data })).data, data), batch));

const syncEchoes = (client) => each((data) => (ms) => operation(ms, () => checked(client.echo({ data }).data, data)));
