/** The plugin that the benchmark calls. */

import type { CountRequest } from "@anyplug/generated/anyplug/bench/v1/bench.js";
import { Bench } from "@anyplug/generated/anyplug/bench/v1/bench_anyplug.js";
import { definePlugin, implement, type PluginDefinition } from "@anyplug/sdk";

const bench = implement(Bench, {
  echo: ({ data }) => ({ data }),
  *count({ count, size }: CountRequest) {
    const data = new Uint8Array(size);
    for (let sent = 0; sent < count; sent++) yield { data };
  },
});

/** The plugin. */
export const plugin: PluginDefinition = definePlugin({ name: "bench-plugin", version: "0.1.0", services: [bench] });
