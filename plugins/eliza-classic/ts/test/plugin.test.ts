/** ELIZA as a plugin, in this process and in one of its own. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Eliza } from "@anyplug/generated/eliza_classic/v1/eliza_anyplug.js";
import { afterAll, describe, expect, test } from "@jest/globals";
import { type LoadOptions, loadPlugin } from "anyplug";

const folder = resolve(import.meta.dirname, "..");
const temporary = mkdtempSync(join(tmpdir(), "eliza-"));
afterAll(() => rmSync(temporary, { recursive: true }));

const script =
  "(HELLO)\nSTART\n(NONE ((0) (I SEE)))\n(MEMORY MY (0 = A) (0 = B) (0 = C) (0 = D))\n(MY ((0 MY 0) (TELL ME ABOUT YOUR 3)))\n";

async function refusal(options: LoadOptions): Promise<string> {
  const error = await loadPlugin(folder, options).catch((reason: unknown) => reason);
  return String(error);
}

describe.each(["direct", "process"] as const)("ELIZA over %s", (transport) => {
  test("answers lines, words, conversations and chats", async () => {
    await using plugin = await loadPlugin(folder, { transport, expect: [Eliza] });
    const eliza = plugin.client(Eliza);
    expect((await eliza.reply({ text: "Men are all alike." })).text).toBe("IN WHAT WAY");
    const words: string[] = [];
    for await (const { text } of eliza.replyStream({ text: "Men are all alike.", sessionId: "words" }))
      words.push(text);
    expect(words).toEqual(["IN", "WHAT", "WAY"]);
    const lines = [{ text: "Men are all alike." }, { text: "They're always bugging us about something or other." }];
    const { exchanges } = await eliza.transcript(lines);
    const replies = ["IN WHAT WAY", "CAN YOU THINK OF A SPECIFIC EXAMPLE"];
    expect(exchanges.map(({ reply }) => reply)).toEqual(replies);
    const chat: string[] = [];
    for await (const { text } of eliza.chat(lines)) chat.push(text);
    expect(chat).toEqual(replies);
  });

  test("keeps the conversations of two people apart", async () => {
    await using plugin = await loadPlugin(folder, { transport });
    const eliza = plugin.client(Eliza);
    const say = async (sessionId: string) => (await eliza.reply({ text: "Men are all alike.", sessionId })).text;
    expect([await say("a"), await say("b"), await say("a"), await say("b")]).toEqual([
      "IN WHAT WAY",
      "IN WHAT WAY",
      "WHAT RESEMBLANCE DO YOU SEE",
      "WHAT RESEMBLANCE DO YOU SEE",
    ]);
  });

  test("takes another script, as text or as a file", async () => {
    const path = join(temporary, "script.txt");
    writeFileSync(path, script);
    for (const config of [{ script }, { script_path: path }]) {
      await using plugin = await loadPlugin(folder, { transport, config });
      expect((await plugin.client(Eliza).reply({ text: "my cat" })).text).toBe("TELL ME ABOUT YOUR CAT");
    }
  });

  test("refuses a malformed script with line and reason", async () => {
    const path = join(temporary, "malformed.txt");
    writeFileSync(path, "(HELLO)\nSTART\n(MY ((0 MY 0) (A 9)))\n");
    const config = { script_path: path };
    expect(await refusal({ transport, config })).toContain(`config.script_path: ${path}: line `);
  });
});
