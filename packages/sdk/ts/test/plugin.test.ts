import { expect, test } from "@jest/globals";
import { definePlugin } from "../src/index.js";

test("a name that plugin.json could not have is refused", () => {
  expect(() => definePlugin({ name: "My Plugin", version: "1", services: [] })).toThrow(
    'the plugin\'s name is "My Plugin"; expected lower-case letters, digits and dashes, beginning with a letter',
  );
});
