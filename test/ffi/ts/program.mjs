/** A program that has loaded a library, and has nothing more to do. */
import process from "node:process";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { loadPlugin } from "@anyplug/host";

const [library, how] = process.argv.slice(2);
const plugin = await loadPlugin(library);
const client = plugin.client(Test);
// Nothing but the call keeps the process alive.
const { text } = await client.echo({ text: "answered" });
console.log(text);
if (how === "closed") await plugin.close();
if (how === "exit") process.exit(3);
if (how === "unawaited") void client.echo({});
