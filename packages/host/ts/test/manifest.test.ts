import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { parseManifest, readManifest } from "../src/manifest.js";

const least = { name: "eliza-classic", version: "1.0.0", language: "python" };
const parse = (members: object) => parseManifest(JSON.stringify({ ...least, ...members }));

describe("plugin.json", () => {
  test("of ElizaOS is read as it is", () => {
    const manifest = {
      ...least,
      description: "Rogerian",
      interop: { protocol: "ipc", ipcCommand: "python3 main.py", ipcPort: 9000, cwd: "python" },
      config: { LEVEL: { type: "string", required: true } },
      dependencies: ["sql"],
      events: { MESSAGE_RECEIVED: ["onMessage"] },
      actions: [
        {
          name: "REPLY",
          description: "Answers",
          similes: ["ANSWER"],
          examples: [[{ name: "u", content: { text: "hi" } }]],
        },
      ],
      providers: [{ name: "TIME", description: "now", dynamic: true, position: -1, private: false }],
      evaluators: [{ name: "FACTS", description: "d", alwaysRun: true, similes: [] }],
      services: [{ type: "db", description: "d" }],
      routes: [{ path: "/x", method: "GET", name: "x", public: true, isMultipart: false }],
    };
    const { events, interop, ...others } = parseManifest(JSON.stringify(manifest));
    expect(others).toMatchObject({
      name: manifest.name,
      config: manifest.config,
      actions: manifest.actions,
      routes: manifest.routes,
    });
    expect(interop).toMatchObject(manifest.interop);
    expect([...events]).toEqual([["MESSAGE_RECEIVED", ["onMessage"]]]);
  });

  test("may spell its members as the schema does, and have members of others", () => {
    expect(parse({ interop: { ipc_command: "x" }, homepage: "https://example.com" }).interop).toMatchObject({
      ipcCommand: "x",
    });
  });

  test.each([
    [{ name: undefined }, "name is missing"],
    [{ language: undefined }, "language is missing"],
    [{ name: "Eliza" }, 'name: expected lower-case letters, digits and dashes, beginning with a letter, got "Eliza"'],
    [{ language: "cobol" }, 'language: expected one of typescript, rust, python, got "cobol"'],
    [{ interop: { ipcPort: "80" } }, 'interop.ipcPort: expected a whole number from 1 to 65535, got "80"'],
    [
      {
        routes: [
          { path: "/", method: "GET" },
          { path: "/", method: "get" },
        ],
      },
      "routes[1].method: expected one of GET",
    ],
    [{ actions: [{ name: "A", similes: [1] }] }, "actions[0].similes[0]: expected text, got 1"],
    [{ events: { M: "x" } }, "events.M: expected a list"],
    [{ providers: [{}] }, "providers[0].name is missing"],
    [
      { limits: { maxMessageBytes: -1 } },
      "limits.maxMessageBytes: expected a whole number from 0 to 4294967295, got -1",
    ],
    [{ config: [] }, "config: expected an object, got []"],
  ])("with %j is refused, naming the member", (members, why) => {
    expect(() => parse(members)).toThrow(why);
  });

  test("that is not JSON is refused with its path", () => {
    const folder = mkdtempSync(join(tmpdir(), "manifest-"));
    writeFileSync(join(folder, "plugin.json"), "{ name: 1 }");
    expect(() => readManifest(folder)).toThrow(`${join(folder, "plugin.json")}: is not JSON`);
  });

  test("that is not there is named", () => {
    const folder = mkdtempSync(join(tmpdir(), "manifest-"));
    expect(() => readManifest(join(folder, "none"))).toThrow(`there is no plugin at ${join(folder, "none")}`);
    expect(() => readManifest(folder)).toThrow(`the folder ${folder} has no plugin.json`);
  });

  test.each([
    [{ interop: { cwd: "../other" } }, 'interop.cwd: "../other" leaves the plugin\'s folder'],
    [{ interop: { wasmPath: "/etc/passwd" } }, "interop.wasmPath"],
    [{ interop: { sharedLibPath: "a/../../b.so" } }, "interop.sharedLibPath"],
    [{ interop: { module: "./../x.js" } }, "interop.module"],
    [{ interop: { ipcCommand: "../bin/x --flag", cwd: "." } }, "interop.ipcCommand"],
  ])("with %j is refused: its paths stay in its folder", (members, why) => {
    const folder = mkdtempSync(join(tmpdir(), "manifest-"));
    writeFileSync(join(folder, "plugin.json"), JSON.stringify({ ...least, ...members }));
    expect(() => readManifest(folder)).toThrow(why);
  });
});
