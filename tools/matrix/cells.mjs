import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../bootstrap/setup/paths.mjs";

/** The languages of hosts and of plugins. */
export const languages = ["typescript", "python", "rust"];

/** Reads what is to be tried, and where: test/matrix/behaviours.json and transports.json. */
export function readLists(folder = join(root, "test", "matrix")) {
  const read = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
  return { languages, behaviours: read("behaviours.json"), transports: read("transports.json") };
}

/**
 * Returns the cells that are asked for, those that there cannot be with the reason in `why`.
 *
 * @returns {{ host: string, plugin: string, transport: string, has: string[], why?: string }[]}
 */
export function cellsOf({ hosts, plugins, transports }, lists) {
  const asked = lists.transports.filter(({ name }) => transports.includes(name));
  return hosts.flatMap((host) =>
    asked.flatMap(({ name: transport, plugins: of, has, why }) =>
      plugins.map((plugin) => {
        const exists = of === "all" || (of === "own" ? host === plugin : of.includes(plugin));
        return { host, plugin, transport, has, ...(exists ? {} : { why }) };
      }),
    ),
  );
}
