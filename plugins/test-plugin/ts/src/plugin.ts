/** The plugin that anyplug's own tests load: every kind of method, and every way to harm its process. */

import { Host, Secret, Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { AnyplugError, Code, definePlugin, implement, type PluginDefinition } from "@anyplug/sdk";
import { TestPlugin } from "./test.js";

/** The plugin. The configuration `{"refuse": "why"}` makes it refuse to start. */
export const plugin: PluginDefinition = definePlugin({
  name: "test-plugin",
  version: "0.1.0",
  uses: [Host, Secret],
  services(config) {
    if (typeof config["refuse"] === "string") throw new AnyplugError(Code.InvalidArgument, config["refuse"]);
    return [implement(Test, new TestPlugin())];
  },
});
