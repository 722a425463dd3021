/** anyplug's own host. */
import { Bench } from "@anyplug/generated/anyplug/bench/v1/bench_anyplug.js";
import { loadPlugin } from "anyplug";
import { contender, LARGE, measurements, SMALL } from "./clock.mjs";

const data = { [SMALL]: new Uint8Array(SMALL).fill(7), [LARGE]: new Uint8Array(LARGE).fill(7) };

/** Loads the bench plugin of a language as a child process, or with none the one in TypeScript in this process. */
export async function start(language) {
  const load = () =>
    loadPlugin(`plugins/bench-plugin/${language ?? "ts"}`, { transport: language ? "process" : "direct" });
  const plugin = await load();
  const loads = async () => {
    const start = performance.now();
    const other = await load();
    await other.client(Bench).echo({ data: data[SMALL] });
    const value = performance.now() - start;
    await other.close();
    return { value };
  };
  return contender({ ...callsOf(plugin, language ? 1 : 20), load: loads }, () => plugin.close());
}

/** What is measured of calls to a loaded bench plugin; `batch` calls are a sample of the latency. */
export function callsOf(plugin, batch = 1) {
  const bench = plugin.client(Bench);
  return measurements({
    async echo(size) {
      const response = await bench.echo({ data: data[size] });
      if (response.data.length !== size) throw new Error("an echo of another size");
    },
    async stream(count, size) {
      let messages = 0;
      for await (const _ of bench.count({ count, size })) messages += 1;
      return messages;
    },
    batch,
  });
}
