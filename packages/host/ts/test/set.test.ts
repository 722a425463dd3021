import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AnyplugError, Code } from "@anyplug/core";
import { beforeEach, expect, test } from "@jest/globals";
import { discoverPlugins } from "../src/discovery.js";
import { loadPlugins } from "../src/set.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "set-"));
});

/** Makes a plugin that is loaded into this process, and finds all that were made so far. */
function plugin(name: string, dependencies: readonly string[] = [], services = "[]") {
  const folder = join(root, name);
  mkdirSync(folder);
  const manifest = {
    name,
    version: "1.0.0",
    language: "typescript",
    interop: { module: "./plugin.mjs" },
    dependencies,
  };
  writeFileSync(join(folder, "plugin.json"), JSON.stringify(manifest));
  writeFileSync(
    join(folder, "plugin.mjs"),
    `export const plugin = { name: "${name}", version: "1", services: ${services} };`,
  );
  return discoverPlugins({ folders: [root] }).plugins;
}
const refusing = '() => { throw new Error("no database") }';

test("Plugins are loaded after those that they need, and closed before them", async () => {
  plugin("a", ["c", "b"]);
  plugin("b", ["c"]);
  plugin("c");
  const set = await loadPlugins(plugin("d", ["b"]));
  const order = [...set.plugins.keys()];
  expect(set.failures).toEqual([]);
  expect(order.slice(0, 2)).toEqual(["c", "b"]);
  expect(order.slice(2).sort()).toEqual(["a", "d"]);
  const closed: string[] = [];
  const all = [...set.plugins.values()].map((each) => each.closed.then(() => closed.push(each.name)));
  await set.close();
  await Promise.all(all);
  expect(closed).toEqual(order.reverse());
});

test("One that fails fails those that need it, with its reason, and no others", async () => {
  plugin("sql", [], refusing);
  plugin("store", ["sql"]);
  plugin("agent", ["other", "store"]);
  await using set = await loadPlugins(plugin("other"));
  expect([...set.plugins.keys()]).toEqual(["other"]);
  const why = 'plugin "sql" refused to start: no database';
  expect(set.failures.map(({ name, error }) => [name, error.message])).toEqual([
    ["sql", why],
    ["store", `plugin "store" needs "sql", which failed: ${why}`],
    ["agent", `plugin "agent" needs "store", which failed: plugin "store" needs "sql", which failed: ${why}`],
  ]);
  expect(set.get("other").version).toBe("1");
  expect(() => set.get("sql")).toThrow(why);
  expect(() => set.get("none")).toThrow('there is no plugin "none" in this set');
});

test("A cycle is named, and one that is missing", async () => {
  plugin("a", ["b"]);
  plugin("b", ["c"]);
  plugin("c", ["a"]);
  plugin("d", ["d"]);
  plugin("e", ["c"]);
  plugin("f", ["nowhere"]);
  await using set = await loadPlugins(plugin("g"));
  expect([...set.plugins.keys()]).toEqual(["g"]);
  const cycle = "plugins need each other in a cycle: a → b → c → a";
  const errors = new Map(set.failures.map(({ name, error }) => [name, error.message]));
  expect(errors).toEqual(
    new Map([
      ["a", cycle],
      ["b", cycle],
      ["c", cycle],
      ["d", "plugins need each other in a cycle: d → d"],
      ["e", `plugin "e" needs "c", which failed: ${cycle}`],
      ["f", 'plugin "f" needs "nowhere", which was not found; add it to what is discovered'],
    ]),
  );
});

test("Each may have options of its own, and a load that is given up leaves nothing behind", async () => {
  plugin("a");
  const found = plugin("b", ["a"]);
  const controller = new AbortController();
  const options = (each: { name: string }) => {
    if (each.name === "b") controller.abort(new AnyplugError(Code.Cancelled, "enough"));
    return { signal: controller.signal };
  };
  await expect(loadPlugins(found, options)).rejects.toThrow("enough");
});
