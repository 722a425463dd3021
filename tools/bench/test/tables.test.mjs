import { expect, test } from "@jest/globals";
import { LANGUAGES, SECTIONS } from "../arguments.mjs";
import { groups } from "../tables.mjs";

const all = groups({ only: SECTIONS, languages: LANGUAGES });
const tables = all.flatMap((group) => group.tables);

test("every section has a group for every language", () => {
  const found = all.map(({ section, language }) => `${section} ${language}`);
  expect(found.toSorted()).toEqual(
    SECTIONS.flatMap((section) => LANGUAGES.map((language) => `${section} ${language}`)).toSorted(),
  );
});

test("no two tables have one id", () => {
  const ids = tables.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test.each(tables)("$id compares rows that it has, each once", ({ rows, limit, peer, aims = [] }) => {
  const ids = rows.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const named = [limit, peer, ...aims.flatMap(({ row, against, over }) => [row, against, over])].filter(
    (id) => id !== undefined,
  );
  for (const id of named) expect(ids).toContain(id);
});
