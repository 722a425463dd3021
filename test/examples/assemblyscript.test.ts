/** A plugin in a language that there is no SDK of ours for: what docs/embedded-abi.md says is enough. */

import { fileURLToPath } from "node:url";
import { Greeter } from "@anyplug/generated/greeter/v1/greeter_anyplug.js";
import { expect, test } from "@jest/globals";
import { Code, loadPlugin } from "anyplug";

const module = fileURLToPath(new URL("../../examples/greeter/assemblyscript/bin/greeter.wasm", import.meta.url));

test("a module of AssemblyScript greets, and refuses what it does not have", async () => {
  await using plugin = await loadPlugin(module);
  expect(plugin.name).toBe("greeter");
  const greeter = plugin.client(Greeter);
  expect(await greeter.greet({ name: "Ada" })).toMatchObject({ text: "Hello, Ada!" });
  const timed = await greeter.greet({ name: "Grace" }, { timeoutMs: 30_000, metadata: [["key", "value"]] });
  expect(timed.text).toBe("Hello, Grace!");
  const long = "ü".repeat(100_000);
  expect((await greeter.greet({ name: long })).text).toBe(`Hello, ${long}!`);
  const many = await Promise.all(Array.from({ length: 100 }, (_, index) => greeter.greet({ name: `${index}` })));
  expect(many.map(({ text }) => text)).toEqual(many.map((_, index) => `Hello, ${index}!`));
  const all = greeter.greetAll({ name: "Ada" })[Symbol.asyncIterator]();
  await expect(all.next()).rejects.toMatchObject({ code: Code.Unimplemented });
});
