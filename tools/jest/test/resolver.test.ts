import { expect, test } from "@jest/globals";
import { twice } from "./source.js";

test("a .js import finds the .ts source, and `await using` disposes on every supported Node", async () => {
  const order: string[] = [];
  {
    await using resource = { [Symbol.asyncDispose]: async () => void order.push("disposed") };
    expect(resource).toBeDefined();
    order.push("used");
  }
  expect(order).toEqual(["used", "disposed"]);
  expect(twice(2)).toBe(4);
});
