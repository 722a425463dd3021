import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Code } from "@anyplug/core";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { registerBuiltin } from "../src/builtin.js";
import { type Discovery, discoverPlugins } from "../src/discovery.js";
import { entryPoints } from "../src/python.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "discovery-"));
});

function file(path: string, content: string | object = ""): string {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, typeof content === "string" ? content : JSON.stringify(content));
  return full;
}
const manifest = (name: string, more: object = {}) => ({ name, version: "1.0.0", language: "python", ...more });
const names = ({ plugins }: Discovery) => plugins.map(({ name }) => name);
const reasons = ({ failures }: Discovery) => failures.map(({ from, error }) => `${from}: ${error.message}`);

describe("A folder of plugins", () => {
  test("gives those that hold a plugin.json, and a broken one hinders none", () => {
    file("plugins/b/plugin.json", manifest("bee"));
    file("plugins/a/plugin.json", manifest("ay"));
    file("plugins/broken/plugin.json", "{");
    file("plugins/wrong/plugin.json", manifest("Wrong"));
    file("plugins/data/readme.txt");
    file("plugins/loose.txt");
    const folder = join(root, "plugins");
    const found = discoverPlugins({ folders: [folder] });
    expect(found.plugins).toMatchObject([
      { name: "ay", source: "folder", from: folder, folder: join(folder, "a"), manifest: { version: "1.0.0" } },
      { name: "bee", source: "folder", from: folder },
    ]);
    expect(reasons(found)).toEqual([
      expect.stringContaining(`${folder}: ${join(folder, "broken/plugin.json")}: is not JSON`),
      expect.stringContaining(`${folder}: ${join(folder, "wrong/plugin.json")}: name: expected lower-case letters`),
    ]);
  });

  test("that is not there is reported", () => {
    file("plugins/a/plugin.json", manifest("ay"));
    const found = discoverPlugins({ folders: [join(root, "none"), join(root, "plugins")] });
    expect(names(found)).toEqual(["ay"]);
    expect(found.failures).toMatchObject([{ source: "folder", error: { code: Code.NotFound } }]);
  });
});

describe("Paths", () => {
  test("are folders, manifests, modules and executable files", () => {
    file("one/plugin.json", manifest("one"));
    const other = file("two.json", manifest("two"));
    const found = discoverPlugins({ paths: [join(root, "one"), other, file("My_Plugin.py"), file("four.mjs")] });
    expect(names(found)).toEqual(["one", "two", "my-plugin", "four"]);
    expect(found.plugins[2]?.manifest).toMatchObject({
      language: "python",
      interop: { ipcCommand: "python -m anyplug.run ./My_Plugin.py" },
    });
  });

  test("that lead nowhere are reported", () => {
    const found = discoverPlugins({ paths: [join(root, "none"), file("notes.txt")] });
    expect(found.failures).toMatchObject([
      { error: { code: Code.NotFound } },
      { error: { code: Code.InvalidArgument } },
    ]);
  });

  test("with one name: the first counts; the same plugin twice is one", () => {
    file("one/plugin.json", manifest("same"));
    file("two/plugin.json", manifest("same"));
    const [one, two] = [join(root, "one"), join(root, "two")];
    const found = discoverPlugins({ paths: [one, two, join(one, "plugin.json")] });
    expect(names(found)).toEqual(["same"]);
    expect(found.failures).toMatchObject([{ name: "same", from: two, error: { code: Code.AlreadyExists } }]);
    expect(reasons(found)).toEqual([`${two}: plugin "same" was found before: path ${one}`]);
  });
});

describe("npm packages", () => {
  test("are plugins by keyword, with their plugin.json or the one that they name", () => {
    file("node_modules/plain/package.json", { name: "plain", keywords: ["plugin"] });
    file("node_modules/.bin/x");
    file("node_modules/loose.txt");
    file("node_modules/garbled/package.json", "{");
    file("node_modules/weather/package.json", { name: "weather", keywords: ["anyplug-plugin"] });
    file("node_modules/weather/plugin.json", manifest("weather"));
    file("node_modules/@scope/notes/package.json", { name: "@scope/notes", anyplug: "dist/plugin.json" });
    file("node_modules/@scope/notes/dist/plugin.json", manifest("notes"));
    file("node_modules/empty/package.json", { keywords: ["anyplug-plugin"] });
    file("node_modules/escapes/package.json", { anyplug: "../weather/plugin.json" });
    file("node_modules/odd/package.json", { anyplug: {} });
    const found = discoverPlugins({ npm: [root] });
    expect(found.plugins).toMatchObject([
      { name: "notes", source: "npm", from: "@scope/notes" },
      { name: "weather", source: "npm", from: "weather" },
    ]);
    expect(reasons(found)).toEqual([
      expect.stringMatching(/^empty: .*empty\/package.json: there is no .*plugin.json; add it/),
      expect.stringMatching(/^escapes: .*anyplug: "..\/weather\/plugin.json" leaves the plugin's folder$/),
      expect.stringMatching(/^odd: .*anyplug: expected the path of the manifest, got {}$/),
    ]);
  });

  test("may be links, as package managers make them", () => {
    file("packages/linked/package.json", { keywords: ["anyplug-plugin"] });
    file("packages/linked/plugin.json", manifest("linked"));
    mkdirSync(join(root, "node_modules"));
    symlinkSync("../packages/linked", join(root, "node_modules/linked"));
    expect(names(discoverPlugins({ npm: [join(root, "node_modules")] }))).toEqual(["linked"]);
  });
});

describe("Python packages", () => {
  test("are plugins by their entry points, without Python", () => {
    const site = "venv/lib/python3.11/site-packages";
    file("venv/bin/python");
    file(
      `${site}/weather-1.0.dist-info/entry_points.txt`,
      "[console_scripts]\nx = x:main\n\n[anyplug.plugins]\nweather = weather.main:plugin [extra]\n",
    );
    file(`${site}/weather/plugin.json`, manifest("weather"));
    file(`${site}/loose-1.0.dist-info/entry_points.txt`, "[jusu.plugins]\nLoose_One=loose : it\nbad = not a module\n");
    const found = discoverPlugins({ python: [join(root, "venv")] });
    expect(found.plugins).toMatchObject([
      {
        name: "loose-one",
        source: "python",
        from: "jusu.plugins Loose_One = loose : it",
        python: join(root, "venv/bin/python"),
        manifest: { interop: { ipcCommand: "python -m anyplug.run loose:it" } },
      },
      { name: "weather", folder: join(root, site, "weather") },
    ]);
    expect(found.failures).toMatchObject([
      { from: "jusu.plugins bad = not a module", error: { code: Code.InvalidArgument } },
    ]);
  });

  test("are looked for in an environment, which has to be one", () => {
    expect(reasons(discoverPlugins({ python: [root] }))).toEqual([
      `${root}: there is no Python environment at ${root}`,
    ]);
  });

  test("have their entry points read as Python reads them", () => {
    expect(entryPoints("# c\n[a.b]\n; c\nx=y:z\r\n k = m.n\n\n[ c ]\nq = r:s [t, u]")).toEqual([
      { group: "a.b", name: "x", value: "y:z" },
      { group: "a.b", name: "k", value: "m.n" },
      { group: "c", name: "q", value: "r:s" },
    ]);
  });
});

describe("Registered plugins", () => {
  const takeBack: (() => void)[] = [];
  afterEach(() => {
    for (const each of takeBack.splice(0)) each();
  });

  test("are found first, until they are taken back", () => {
    const plugin = { name: "mine", version: "1.0.0", services: [] };
    takeBack.push(registerBuiltin(plugin));
    file("one/plugin.json", manifest("mine"));
    const found = discoverPlugins({ paths: [join(root, "one")] });
    expect(found.plugins).toMatchObject([{ name: "mine", source: "builtin", linked: plugin }]);
    expect(found.failures).toMatchObject([{ error: { code: Code.AlreadyExists } }]);
    expect(() => registerBuiltin({ ...plugin })).toThrow('a builtin plugin "mine" is registered already');
    for (const each of takeBack.splice(0)) each();
    expect(discoverPlugins()).toEqual({ plugins: [], failures: [] });
  });
});
