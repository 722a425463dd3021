import { expect, test } from "@jest/globals";
import { AnyplugError, Code } from "../src/index.js";

test("an error in words begins with its code, as in the other languages", () => {
  expect(String(new AnyplugError(Code.NotFound, "there is no such plugin"))).toBe("NOT_FOUND: there is no such plugin");
});

test.each([
  ["an abort", named("AbortError"), Code.Cancelled],
  ["a timeout", named("TimeoutError"), Code.DeadlineExceeded],
  ["anything else", new RangeError("far"), Code.Unknown],
])("%s becomes an error with its code and the cause kept", (_, reason, code) => {
  const error = AnyplugError.from(reason);
  expect([error.code, error.message, error.cause]).toEqual([code, reason.message, reason]);
});

function named(name: string): Error {
  return Object.assign(new Error("why"), { name });
}
