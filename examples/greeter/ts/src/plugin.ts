import { Greeter } from "@anyplug/generated/greeter/v1/greeter_anyplug.js";
import { definePlugin, implement } from "@anyplug/sdk";

const greeter = implement(Greeter, {
  greet: ({ name }) => ({ text: `Hello, ${name}!` }),
  async *greetAll({ name }) {
    for (const word of ["Hello", "Bonjour", "Ciao"]) yield { text: `${word}, ${name}!` };
  },
});

export const plugin = definePlugin({ name: "greeter", version: "1.0.0", services: [greeter] });
