/** A page that loads plugins: what it is made of, and what it does in a browser. */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Code } from "@anyplug/core";
import { expect, test } from "@jest/globals";
import { chromium } from "playwright-core";
import { assemble } from "../../packages/wasm/ts/test/guest.js";
import { bundlePage } from "./bundle.js";
import type { Happened } from "./page.js";
import { filesOf, Site } from "./site.js";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Debian's. */
const executable = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));

test("the bundle has nothing of Node in it", async () => {
  const { code, bytes, gzipBytes, packages } = await bundlePage(here("page.ts"));
  console.log(`The page with the host and its instrumenter: ${bytes} bytes, ${gzipBytes} with gzip.`);
  expect(
    packages.filter(
      (name) => !/^(@bufbuild\/protobuf|generated\/|packages\/(core|wasm|codec)|test\/browser)/.test(name),
    ),
  ).toEqual([]);
  expect(code).not.toMatch(/["']node:/);
  expect(gzipBytes).toBeLessThan(300_000);
});

/** Where there is no browser, that is said; with ANYPLUG_BROWSER=1 it is a failure. */
const inBrowser = executable !== undefined || process.env["ANYPLUG_BROWSER"] === "1" ? test : test.skip;
if (executable === undefined) {
  console.warn(
    "test/browser: Chromium is not installed (Debian: apt-get install chromium): what a page does is not tested.",
  );
}

inBrowser("a page loads plugins, streams from them, and stops one that hangs", async () => {
  const { code } = await bundlePage(here("page.ts"));
  const http = await assemble(readFileSync(here("../extism/http.wat"), "utf8"));
  const modules = {
    "http.wasm": http,
    "eliza.wasm": here("../../plugins/eliza-classic/rust/bin/eliza-classic.wasm"),
    "test.wasm": here("../../plugins/test-plugin/rust/bin/test-plugin.wasm"),
  };
  await using site = await Site.serve(filesOf(code, modules));
  const args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"];
  const browser = await chromium.launch({ executablePath: executable ?? "/usr/bin/chromium", args, timeout: 120_000 });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(120_000);
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    await page.goto(site.address);
    await page.waitForFunction("typeof run === 'function'");
    const happened = (await page.evaluate("run()")) as Happened;
    expect(problems).toEqual([]);
    expect(happened).toEqual({
      name: "eliza-classic",
      reply: "IN WHAT WAY",
      syncReply: expect.stringMatching(/\w/),
      words: expect.arrayContaining([expect.stringMatching(/\w/)]),
      indexes: [0, 1, 2, 3, 4],
      sum: 42,
      conversed: ["a", "b"],
      hostAnswer: expect.stringMatching(/^Where\? In http:/),
      cancelled: Code.Cancelled,
      hung: { code: Code.DeadlineExceeded, message: 'plugin "test-plugin" was stopped after 2000 ms' },
      afterwards: "still here",
      enforced: expect.arrayContaining(["callTimeout: instrumented", "maxMemoryBytes: instrumented"]),
      extism: {
        page: expect.stringContaining("<title>anyplug</title>"),
        size: http.length,
        refused: 'plugin "extism" may not send requests to "elsewhere.invalid"; grant it by allowedHosts',
      },
    });
  } finally {
    await browser.close();
  }
});
