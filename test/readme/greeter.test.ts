/** The README's plugins and hosts, each with each; and the plugins that speak JSON-RPC. */

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "@jest/globals";

const root = fileURLToPath(new URL("../../", import.meta.url));

const hosts = {
  typescript: [process.execPath, "examples/greeter/ts/dist/host.js"],
  python: [".venv/bin/python", "examples/greeter/python/host.py"],
  rust: ["target/fast/greeter-host"],
} as const;

describe.each(Object.entries(hosts))("the README's host in %s", (_, [program, ...args]) => {
  test.each(["greeter/ts", "greeter/python", "greeter/rust", "json-rpc/plain-python", "json-rpc/plain-node"])(
    "is greeted by examples/%s",
    async (plugin) => {
      const run = promisify(execFile);
      const { stdout, stderr } = await run(program, [...args, `examples/${plugin}`], { cwd: root });
      expect(stdout).toBe("Hello, Ada!\nHello, Grace!\nBonjour, Grace!\nCiao, Grace!\n");
      expect(stderr).toBe("");
    },
  );
});
