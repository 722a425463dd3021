/** Plugins without a plugin.json, in TypeScript and Python, as a user installs them. */

import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { Greeter } from "@anyplug/generated/greeter/v1/greeter_anyplug.js";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { discoverPlugins, loadPlugin, loadPlugins, loadPythonPlugin, type Plugin } from "anyplug";

const root = join(import.meta.dirname, "../..");
const python = join(root, ".venv/bin/python");
let folder: string;
/** Interpreters start slowly on a busy machine. */
const slow = { startTimeoutMs: 60_000 };

const definition = `export const plugin = definePlugin({ name: "greeter", version: "2.0.0", services: [implement(Greeter, {
  greet: ({ name }) => ({ text: "Hello, " + name }), async *greetAll() {} })] });\n`;
const imports = `import { Greeter } from "@anyplug/generated/greeter/v1/greeter_anyplug.js";
import { definePlugin, implement, serve } from "@anyplug/sdk";\n`;
const pythonModule = `
from anyplug import define_plugin, implement
from anyplug_generated.greeter.v1 import GreetResponse
from anyplug_generated.greeter.v1.greeter_anyplug import Greeter, GreeterHandler
from beside import WORD


class Polite(GreeterHandler):
    def greet(self, request, context):
        return GreetResponse(text=f"{WORD}, {request.name}")


plugin = define_plugin(name="greeter", version="2.0.0", services=[implement(Greeter, Polite())])
other = define_plugin(name="other", version="3.0.0", services=[implement(Greeter, Polite())])
`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "loaders it's-"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const files = {
    "plugin.mjs": imports + definition,
    "program.mjs": `${imports + definition}serve(plugin);\n`,
    "none.mjs": "export const nothing = 1;\n",
    "my_plugin.py": pythonModule,
    "beside.py": 'WORD = "Hello"\n',
    none_plugin: "#!/bin/sh\necho not today >&2\nexit 3\n",
    executable: `#!/bin/sh\nexec '${python}' -m anyplug.run my_plugin\n`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  for (const name of ["none_plugin", "executable"]) chmodSync(join(folder, name), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function greets(load: Promise<Plugin>, name = "greeter"): Promise<void> {
  await using plugin = await load;
  expect(plugin.name).toBe(name);
  expect(await plugin.client(Greeter).greet({ name: "Ada" })).toMatchObject({ text: "Hello, Ada" });
}

test.each(["plugin.mjs", "program.mjs", "my_plugin.py", "executable"])("%s is loaded as it is", async (file) => {
  await greets(loadPlugin(join(folder, file), { python, ...slow }));
});

test("a module is loaded into this process when that is asked for, and by its URL", async () => {
  await using plugin = await loadPlugin(pathToFileURL(join(folder, "plugin.mjs")), { transport: "direct" });
  expect(plugin.transport).toBe("direct");
  expect(await plugin.client(Greeter).greet({ name: "Ada" })).toMatchObject({ text: "Hello, Ada" });
});

test("a Python plugin is loaded by the name of its module, of another attribute, or by its path", async () => {
  const options = { python, env: { PYTHONPATH: folder }, ...slow };
  await greets(loadPythonPlugin("my_plugin", options));
  await greets(loadPythonPlugin("my_plugin:other", options), "other");
  await greets(loadPlugin("python:my_plugin", options));
  await greets(loadPythonPlugin(join(folder, "my_plugin.py"), { python, ...slow }));
  await expect(loadPythonPlugin(join(folder, "plugin.mjs"))).rejects.toThrow("expected a plugin in Python");
  await expect(loadPythonPlugin("no_such_module", options)).rejects.toThrow("No module named 'no_such_module'");
  await expect(loadPythonPlugin("no module")).rejects.toThrow('"no module" is no Python module');
});

describe("an npm package is loaded by its name", () => {
  const before = process.cwd();
  let application: string;

  beforeAll(() => {
    application = join(folder, "application");
    const packages = {
      "@scope/hello": {
        "package.json": '{"type":"module","exports":{".":{"types":"./x.d.ts","import":"./main.js"}}}',
        "main.js": imports + definition,
      },
      described: {
        "package.json": '{"anyplug":"plugin/plugin.json"}',
        "plugin/plugin.json": JSON.stringify({
          name: "greeter",
          version: "1",
          language: "typescript",
          interop: { ipcCommand: "node main.mjs" },
        }),
        "plugin/main.mjs": `${imports + definition}serve(plugin);\n`,
      },
      empty: { "package.json": "{}" },
      escaping: { "package.json": '{"main":"../described/plugin/main.mjs"}' },
    };
    for (const [name, files] of Object.entries(packages)) {
      for (const [file, text] of Object.entries(files)) {
        const path = join(application, "node_modules", name, file);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, text);
      }
    }
    mkdirSync(join(application, "deeper"));
    process.chdir(join(application, "deeper"));
  });
  afterAll(() => process.chdir(before));

  test("as npm:NAME, and one with a scope by that alone", async () => {
    await greets(loadPlugin("npm:@scope/hello", slow));
    await greets(loadPlugin("@scope/hello", slow));
    await greets(loadPlugin("npm:described", slow));
  });

  test("or it is said why not", async () => {
    await expect(loadPlugin("npm:nowhere")).rejects.toThrow(
      /^there is no npm package nowhere; looked in .*application/,
    );
    await expect(loadPlugin("npm:../x")).rejects.toThrow('"../x" is no npm package');
    await expect(loadPlugin("npm:empty")).rejects.toThrow(/there is no plugin.json, and no main module .*index.js/);
    await expect(loadPlugin("npm:escaping")).rejects.toThrow("leaves the plugin's folder");
  });
});

test("what is no plugin says so", async () => {
  await expect(loadPlugin(join(folder, "none.mjs"), slow)).rejects.toThrow(/none.mjs exports no "plugin"/);
  await expect(loadPlugin(join(folder, "none_plugin"), slow)).rejects.toThrow("not today");
  await expect(loadPythonPlugin("my_plugin:nothing", { python, env: { PYTHONPATH: folder }, ...slow })).rejects.toThrow(
    "binds no plugin to nothing",
  );
});

test("a plugin that is found among installed Python packages is loaded with their Python", async () => {
  const environment = join(folder, "venv");
  const site = join(environment, "lib/python3.11/site-packages");
  mkdirSync(join(site, "my_plugin-1.0.dist-info"), { recursive: true });
  mkdirSync(join(environment, "bin"));
  writeFileSync(
    join(environment, "bin/python"),
    `#!/bin/sh\nPYTHONPATH=${JSON.stringify(folder)} exec '${python}' "$@"\n`,
    { mode: 0o755 },
  );
  writeFileSync(
    join(site, "my_plugin-1.0.dist-info/entry_points.txt"),
    "[anyplug.plugins]\nmy-greeter = my_plugin:plugin\n",
  );
  const { plugins, failures } = discoverPlugins({ python: [environment] });
  expect(failures).toEqual([]);
  await using set = await loadPlugins(plugins);
  expect(set.failures).toEqual([]);
  expect(await set.get("my-greeter").client(Greeter).greet({ name: "Ada" })).toMatchObject({ text: "Hello, Ada" });
});
