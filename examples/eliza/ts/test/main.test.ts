/** The program that `npm start` runs for the cells of the TypeScript host. */

import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";

const program = resolve(import.meta.dirname, "../dist/main.js");

function run(args: string[], input = ""): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [program, ...args], { input, encoding: "utf8" });
}

describe("the host that talks to ELIZA", () => {
  test.each([
    [[], "direct"],
    [["--transport", "process"], "process"],
    [["--transport", "stdio"], "stdio"],
  ])("prints a cell with %j as one object of JSON", (args, transport) => {
    const { status, stdout } = run(["--plugin", "typescript", "--cell", ...args]);
    expect(status).toBe(0);
    const { p50_us, ...cell } = JSON.parse(stdout);
    expect(cell).toEqual({ host: "typescript", plugin: "typescript", transport, ok: true, reply: "IN WHAT WAY" });
    expect(p50_us).toBeGreaterThan(0);
  });

  test("prints a cell that fails in the same shape, and exits with 1", () => {
    const { status, stdout } = run(["--plugin", "python", "--transport", "direct", "--cell"]);
    expect(status).toBe(1);
    const { error, ...cell } = JSON.parse(stdout);
    expect(cell).toEqual({
      host: "typescript",
      plugin: "python",
      transport: "direct",
      ok: false,
      reply: null,
      p50_us: null,
    });
    expect(error).toMatch(/^FAILED_PRECONDITION: /);
  });

  test("answers line by line, and begins anew at an empty line", () => {
    const { status, stdout } = run(
      ["--plugin", "typescript"],
      "Men are all alike.\nMen are all alike.\n\nMen are all alike.\n",
    );
    expect(status).toBe(0);
    expect(stdout).toBe("IN WHAT WAY\nWHAT RESEMBLANCE DO YOU SEE\nIN WHAT WAY\n");
  });

  test("explains how it is to be called", () => {
    const { status, stderr } = run(["--plugin", "cobol"]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^--plugin: expected typescript, python, rust, got cobol\nusage: /);
  });
});
