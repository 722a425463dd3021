/** Plugins without a plugin.json, in TypeScript and Python, as a user installs them. */

import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Greeter } from "@anyplug/generated/greeter/v1/greeter_anyplug.js";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { discoverPlugins, loadPlugin, loadPlugins, loadPythonPlugin, type Plugin } from "anyplug";

const root = join(import.meta.dirname, "../..");
const python = join(root, ".venv/bin/python");
let folder: string;

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
  await greets(loadPlugin(join(folder, file), { python }));
});

test("a module is loaded into this process when that is asked for, and by its URL", async () => {
  await using plugin = await loadPlugin(pathToFileURL(join(folder, "plugin.mjs")), { transport: "direct" });
  expect(plugin.transport).toBe("direct");
  expect(await plugin.client(Greeter).greet({ name: "Ada" })).toMatchObject({ text: "Hello, Ada" });
});

test("a Python plugin is loaded by the name of its module, of another attribute, or by its path", async () => {
  const options = { python, env: { PYTHONPATH: folder } };
  await greets(loadPythonPlugin("my_plugin", options));
  await greets(loadPythonPlugin("my_plugin:other", options), "other");
  await greets(loadPlugin("python:my_plugin", options));
  await greets(loadPythonPlugin(join(folder, "my_plugin.py"), { python }));
  await expect(loadPythonPlugin(join(folder, "plugin.mjs"))).rejects.toThrow("expected a plugin in Python");
  await expect(loadPythonPlugin("no_such_module", options)).rejects.toThrow("No module named 'no_such_module'");
  await expect(loadPythonPlugin("no module")).rejects.toThrow('"no module" is no Python module');
});

test("what is no plugin says so", async () => {
  await expect(loadPlugin(join(folder, "none.mjs"))).rejects.toThrow(/none.mjs exports no "plugin"/);
  await expect(loadPlugin(join(folder, "none_plugin"))).rejects.toThrow("not today");
  await expect(loadPythonPlugin("my_plugin:nothing", { python, env: { PYTHONPATH: folder } })).rejects.toThrow(
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
