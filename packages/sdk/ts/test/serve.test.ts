/** A plugin's program that was not started as it should be. */

import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";

const program = resolve(import.meta.dirname, "../../../../plugins/test-plugin/ts/dist/main.js");

function run(channel?: string): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, ...(channel === undefined ? {} : { ANYPLUG_CHANNEL: channel }) };
  return spawnSync(process.execPath, [program], { env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

describe("a plugin's program", () => {
  test("explains itself to a person, and exits with 64", () => {
    const { status, stdout, stderr } = run();
    expect(status).toBe(64);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^test-plugin 0\.1\.0 is an anyplug plugin: .*loadPlugin in TypeScript.*\n$/);
  });

  test.each([
    ["unix:/x", 'test-plugin: ANYPLUG_CHANNEL is "unix:/x"; expected "fd:R,W" or "stdio"\n'],
    ["fd:97,98", /^test-plugin: ANYPLUG_CHANNEL names descriptor 97, which is not open/],
  ])("refuses the channel %s and says why", (channel, message) => {
    const { status, stderr } = run(channel);
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
  });
});
