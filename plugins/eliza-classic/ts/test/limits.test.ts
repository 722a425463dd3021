/** What is bounded, and that the bounds are told. */
import { expect, test } from "@jest/globals";
import {
  Eliza,
  InputError,
  maxIdCharacters,
  maxLineCharacters,
  maxMemories,
  maxMemoryCharacters,
  maxScriptCharacters,
  parseScript,
  Sessions,
} from "../src/index.js";

const remembering = parseScript(
  `(HI) START (MEMORY MY${"(0 MY 0 = 3)".repeat(4)}) (MY ((0) (OH))) (NONE ((0) (GO ON)))`,
);

test("a line may be as long as the limit, counted in characters", () => {
  const session = new Eliza().newSession();
  expect(session.reply("😀".repeat(maxLineCharacters))).toBe("I AM NOT SURE I UNDERSTAND YOU FULLY");
  expect(session.reply("my ".repeat(Math.floor(maxLineCharacters / 3)))).toMatch(/^YOUR YOUR YOUR/);
});

test("a longer line is refused, and the session stays as it was", () => {
  const session = new Eliza(parseScript("(HI) START (A ((B) (C))) (NONE ((0) (GO ON)))")).newSession();
  const message = `the line has ${maxLineCharacters + 1} characters, and at most ${maxLineCharacters} are answered`;
  for (let times = 0; times < 3; times += 1) {
    expect(() => session.reply("😀".repeat(maxLineCharacters + 1))).toThrow(InputError);
    expect(() => session.reply("😀".repeat(maxLineCharacters + 1))).toThrow(message);
  }
  expect(session.reply("a")).toBe("HMMM");
});

test("half a surrogate pair separates words", () => {
  expect(new Eliza().newSession().reply("my\ud83dhat\ude00!")).toBe("YOUR HAT");
});

test("memories beyond the bound are not kept", () => {
  const session = new Eliza(remembering).newSession();
  for (let number = 0; number < maxMemories + 5; number += 1) session.reply(`my ${number}`);
  const told = Array.from({ length: 4 * maxMemories + 16 }, () => session.reply("x"));
  expect(told.filter((line) => line !== "GO ON").map(Number)).toEqual([...Array(maxMemories).keys()]);
});

test("memories that are too long together are not kept", () => {
  const session = new Eliza(remembering).newSession();
  const long = "𝒜".repeat(maxLineCharacters - 3);
  for (const said of [long, "A".repeat(maxMemoryCharacters - 3), "xxxx", "xxx", "x"]) session.reply(`my ${said}`);
  const told = Array.from({ length: 16 }, () => session.reply("x"));
  expect(told.filter((line) => line !== "GO ON")).toEqual([long, "XXX"]);
});

test("sessions do not know of each other", () => {
  const sessions = new Sessions(new Eliza());
  for (const id of ["0", "1", "2"]) expect(sessions.reply(id, "Men are all alike.")).toBe("IN WHAT WAY");
  expect(sessions.reply("1", "They are alike")).toBe("WHAT RESEMBLANCE DO YOU SEE");
  expect(sessions.reply("2", "They are alike")).toBe("WHAT RESEMBLANCE DO YOU SEE");
  expect(sessions.reply("", "They are alike")).toBe("IN WHAT WAY");
});

test("the session that was not used for longest begins anew when there are too many", () => {
  const sessions = new Sessions(new Eliza(), { maxSessions: 2 });
  for (const id of ["a", "b", "a", "c"]) sessions.reply(id, "alike");
  expect(sessions.size).toBe(2);
  expect(sessions.reply("a", "alike")).toBe("WHAT DOES THAT SIMILARITY SUGGEST TO YOU");
  expect(sessions.reply("b", "alike")).toBe("IN WHAT WAY");
  expect(sessions.reply("c", "alike")).toBe("IN WHAT WAY");
});

test("a forgotten session begins anew", () => {
  const sessions = new Sessions(new Eliza());
  sessions.reply("a", "alike");
  sessions.forget("a");
  sessions.forget("never there");
  expect(sessions.size).toBe(0);
  expect(sessions.reply("a", "alike")).toBe("IN WHAT WAY");
});

test("an id that is too long is refused", () => {
  const sessions = new Sessions(new Eliza());
  expect(sessions.reply("😀".repeat(maxIdCharacters), "alike")).toBe("IN WHAT WAY");
  expect(() => sessions.reply("x".repeat(maxIdCharacters + 1), "alike")).toThrow(
    new InputError(`the session id has 1025 characters, and at most ${maxIdCharacters} serve`),
  );
});

test("a script may be as long as the limit", () => {
  const script = "(HI) START (NONE ((0) (GO ON)))";
  expect(parseScript(script.padEnd(maxScriptCharacters)).greeting).toBe("HI");
});
