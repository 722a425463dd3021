import { Code } from "@anyplug/core";
import { describe, expect, test } from "@jest/globals";
import { checkPlaintext, formatAddress, isAddress, parseAddress } from "../src/address.js";

describe("addresses", () => {
  test.each([
    "unix:/run/x.sock",
    "unix:/run/x.sock#eliza",
    "tcp://127.0.0.1:9000",
    "tcp://[::1]:0",
    "tls://plugins.example:9000#a-1",
  ])("%s is read and written", (text) => {
    expect(isAddress(text)).toBe(true);
    expect(formatAddress(parseAddress(text))).toBe(text);
  });

  test("a path may be relative, and may follow two slashes", () => {
    expect(parseAddress("unix:x.sock")).toMatchObject({ path: `${process.cwd()}/x.sock` });
    expect(parseAddress("unix:///run/x")).toMatchObject({ path: "/run/x" });
  });

  test("a path is no address", () => {
    for (const path of ["./unix", "tcp", "/tcp:/x", "eliza"]) expect(isAddress(path)).toBe(false);
  });

  test.each([
    "unix:",
    "tcp:127.0.0.1:9000",
    "tcp://127.0.0.1",
    "tcp://:9000",
    "tcp://::1:9000",
    "tcp://host:70000",
    "tcp://host:+5",
    "tls://a/b:1",
  ])("%s is refused with what was expected", (text) => {
    const expected = {
      code: Code.InvalidArgument,
      message: expect.stringContaining("expected unix:PATH, tcp://HOST:PORT"),
    };
    expect(() => parseAddress(text)).toThrow(expect.objectContaining(expected));
  });

  test("a wrong name and a long path are named", () => {
    expect(() => parseAddress("unix:/x#Eliza")).toThrow("expected the name of a plugin after #");
    expect(() => parseAddress(`unix:/${"x".repeat(200)}`)).toThrow("the path takes 201 bytes");
  });

  test.each([
    ["tcp://127.9.9.9:1", true],
    ["tcp://[::1]:1", true],
    ["tcp://[::ffff:127.0.0.1]:1", true],
    ["tcp://localhost:1", true],
    ["tcp://0.0.0.0:1", false],
    ["tcp://[::]:1", false],
    ["tcp://10.0.0.1:1", false],
    ["tcp://localhost.example:1", false],
    ["tls://10.0.0.1:1", true],
  ])("plaintext at %s: %s", (text, isAllowed) => {
    const check = () => checkPlaintext(parseAddress(text), false);
    if (isAllowed) check();
    else expect(check).toThrow("neither encrypted nor authenticated");
    checkPlaintext(parseAddress(text), true);
  });
});
