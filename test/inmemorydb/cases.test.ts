/** The shared cases from a host in TypeScript; those in Python and Rust run them beside their plugins. */

import { resolve } from "node:path";
import { expect, test } from "@jest/globals";
import { loadPlugin } from "anyplug";
import { cases, empty, play } from "../../plugins/inmemorydb/ts/test/play.js";

const plugins = resolve(import.meta.dirname, "../../plugins/inmemorydb");

test.each(["ts", "rust", "python"])(
  "the plugin in %s answers a host in TypeScript as the cases say",
  async (language) => {
    await using plugin = await loadPlugin(resolve(plugins, language), { transport: "process" });
    for (const { steps } of cases) {
      await empty(plugin);
      expect(await play(plugin, steps)).toEqual(steps);
    }
  },
);
