/** ELIZA in every language refuses a configuration in the same words, in this process and in one of its own. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadPlugin } from "@anyplug/host";
import { expect, test } from "@jest/globals";

const folder = fileURLToPath(new URL("../../../plugins/eliza-classic/", import.meta.url));
const refused: { config: Record<string, unknown>; message: string }[] = JSON.parse(
  readFileSync(`${folder}data/refused-configurations.json`, "utf8"),
);

test.each([
  ["ts", "direct"],
  ["ts", "process"],
  ["python", "process"],
  ["rust", "process"],
] as const)("configurations are refused with place and reason by %s over %s", async (language, transport) => {
  for (const { config, message } of refused) {
    const error = await loadPlugin(folder + language, { transport, config }).catch((reason: unknown) => reason);
    expect(String(error)).toContain(`INVALID_ARGUMENT: plugin "eliza-classic" refused to start: ${message}`);
  }
});
