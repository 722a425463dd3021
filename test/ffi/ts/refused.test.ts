/** Libraries that are no good, as a host in TypeScript sees them. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { AnyplugError, codeName } from "@anyplug/core";
import { Test } from "@anyplug/generated/anyplug/test/v1/test_anyplug.js";
import { loadPlugin } from "@anyplug/host";
import { expect, test } from "@jest/globals";

interface Case {
  readonly name: string;
  readonly file?: string;
  /** Loading it fails with this. */
  readonly code?: string;
  /** The first call fails with this. */
  readonly call?: string;
  readonly says?: readonly string[];
}

const folder = fileURLToPath(new URL("..", import.meta.url));
const cases: readonly Case[] = JSON.parse(readFileSync(`${folder}/cases.json`, "utf8"));

test.each(cases.map((one) => [one.name, one] as const))("%s", async (name, { file, code, call, says = [] }) => {
  const loading = loadPlugin(`${folder}/bin/${file ?? `${name}.so`}`);
  if (code !== undefined) return expectFailure(loading, code, says);
  await using plugin = await loading;
  const calling = plugin.client(Test).echo({ text: "hello" });
  if (call === undefined) expect((await calling).text).toBe("hello");
  else await expectFailure(calling, call, says);
});

async function expectFailure(promise: Promise<unknown>, code: string, says: readonly string[]): Promise<void> {
  const error = AnyplugError.from(
    await promise.then(
      () => undefined,
      (reason: unknown) => reason,
    ),
  );
  expect(codeName(error.code)).toBe(code);
  for (const words of says) expect(error.message).toContain(words);
}
