import { Greeter } from "@anyplug/generated/greeter/v1/greeter_anyplug.js";
import { loadPlugin } from "anyplug";

await using plugin = await loadPlugin(process.argv[2] ?? "examples/greeter/rust");
const greeter = plugin.client(Greeter);
console.log((await greeter.greet({ name: "Ada" })).text);
for await (const greeting of greeter.greetAll({ name: "Grace" })) console.log(greeting.text);
