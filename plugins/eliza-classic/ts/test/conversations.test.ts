/** The shared conversations: what ELIZA answers is the same in every language. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { hashOf } from "../src/hash.js";
import { Eliza, parseScript, ScriptError } from "../src/index.js";
import { wordsOf } from "../src/words.js";

interface Exchange {
  in: string;
  out: string;
}
interface Feature {
  name: string;
  script: string;
  greeting: string;
  sessions: Exchange[][];
}
interface Malformed {
  name: string;
  script: string | [text: string, times: number][];
  line: number;
  column: number;
  reason: string;
}

function shared<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../data/${name}`, import.meta.url), "utf8"));
}

function textOfCase(script: Malformed["script"]): string {
  return typeof script === "string" ? script : script.map(([text, times]) => text.repeat(times)).join("");
}

function answers(eliza: Eliza, session: readonly Exchange[]): Exchange[] {
  const conversation = eliza.newSession();
  return session.map((said) => ({ in: said.in, out: conversation.reply(said.in) }));
}

describe("the DOCTOR script", () => {
  test("holds the conversation of the paper word for word", () => {
    const conversation = shared<Exchange[]>("paper-conversation.json");
    expect(answers(new Eliza(), conversation)).toEqual(conversation);
  });

  test("holds the conversations of another implementation word for word", () => {
    const eliza = new Eliza();
    const sessions = shared<Exchange[][]>("eliza-sessions.json");
    expect(sessions.map((session) => answers(eliza, session))).toEqual(sessions);
  });

  test("has its greeting", () => {
    expect(new Eliza().greeting).toBe("HOW DO YOU DO. PLEASE TELL ME YOUR PROBLEM");
  });

  test("is in the package as all languages have it", () => {
    // A copy, because a link would not survive npm pack or a checkout on Windows. After a change: copy it to the three.
    const shipped = readFileSync(new URL("../data/doctor-1966.txt", import.meta.url));
    expect(shipped.equals(readFileSync(new URL("../../data/doctor-1966.txt", import.meta.url)))).toBe(true);
  });
});

describe("scripts can use", () => {
  test.each(shared<Feature[]>("features.json"))("$name", ({ script, greeting, sessions }) => {
    const eliza = new Eliza(parseScript(script));
    expect(eliza.greeting).toBe(greeting);
    expect(sessions.map((session) => answers(eliza, session))).toEqual(sessions);
  });
});

describe("a script is refused for", () => {
  test.each(shared<Malformed[]>("malformed-scripts.json"))("$name", ({ script, line, column, reason }) => {
    let caught: unknown;
    try {
      parseScript(textOfCase(script));
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(ScriptError);
    expect(caught).toMatchObject({ line, column, reason, message: `line ${line}, column ${column}: ${reason}` });
  });
});

test("lines are cut into words", () => {
  const cases = shared<{ line: string; words: string[] }[]>("words.json");
  expect(cases.map(({ line }) => ({ line, words: wordsOf(line) }))).toEqual(cases);
});

test("words have the hash of the IBM 7094", () => {
  const cases = shared<{ word: string; hash: number }[]>("hash.json");
  expect(cases.map(({ word }) => ({ word, hash: hashOf(word) }))).toEqual(cases);
});
