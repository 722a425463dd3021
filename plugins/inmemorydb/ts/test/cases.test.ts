/** The shared cases, in this process and in one of its own. */

import { resolve } from "node:path";
import { InMemoryDb } from "@anyplug/generated/inmemorydb/v1/inmemorydb_anyplug.js";
import { describe, expect, test } from "@jest/globals";
import { loadPlugin } from "anyplug";
import { cases, empty, play } from "./play.js";

const folder = resolve(import.meta.dirname, "..");

describe.each(["direct", "process"] as const)("the plugin in TypeScript over %s", (transport) => {
  test("answers as the shared cases say", async () => {
    await using plugin = await loadPlugin(folder, { transport });
    for (const { steps } of cases) {
      await empty(plugin);
      expect(await play(plugin, steps)).toEqual(steps);
    }
  });
});

test("what a host does to its messages afterwards is not in the database", async () => {
  await using plugin = await loadPlugin(folder, { transport: "direct" });
  const db = plugin.client(InMemoryDb);
  const entry = { key: "a", value: new Uint8Array([1]), vector: [1, 2], metadata: new Map() };
  await db.set({ collection: "c", entry });
  entry.value[0] = 2;
  entry.vector[0] = 2;
  entry.metadata.set("k", { kind: { $case: "flag", flag: true } });
  const got = await db.get({ collection: "c", key: "a" });
  expect(got.entry).toMatchObject({ value: new Uint8Array([1]), vector: [1, 2], metadata: new Map() });
  got.entry?.value.fill(3);
  got.entry?.vector.fill(3);
  const again = await db.get({ collection: "c", key: "a" });
  expect(again.entry).toMatchObject({ value: new Uint8Array([1]), vector: [1, 2] });
});

test("what no message can carry is refused in the same process, too", async () => {
  await using plugin = await loadPlugin(folder, { transport: "direct" });
  const db = plugin.client(InMemoryDb);
  const refused = (entry: object) => expect(db.set({ collection: "c", entry })).rejects;
  await refused({ key: "\ud83d" }).toThrow("entry.key: expected Unicode text, got half of a surrogate pair");
  await refused({ key: "a", vector: [1e39] }).toThrow("entry.vector[0]: expected a finite number of 32 bits");
  await db.set({ collection: "c", entry: { key: "a", vector: [0.1] } });
  expect((await db.get({ collection: "c", key: "a" })).entry?.vector).toEqual([Math.fround(0.1)]);
});
