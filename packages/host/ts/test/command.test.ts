import { describe, expect, test } from "@jest/globals";
import { quoteWord, splitCommand } from "../src/command.js";

describe("a command in a manifest", () => {
  test.each([
    ["node dist/main.js", ["node", "dist/main.js"]],
    ["  python3\t-m  x ", ["python3", "-m", "x"]],
    [`run 'a b' "c d" e\\ f`, ["run", "a b", "c d", "e f"]],
    [`run '' "" x''y`, ["run", "", "", "xy"]],
    [`run "a\\"b\\\\c\\d" 'a\\b'`, ["run", `a"b\\c\\d`, "a\\b"]],
    ["run $HOME *.txt ~", ["run", "$HOME", "*.txt", "~"]],
  ])("%s is split as a shell without expansion would", (command, words) => {
    expect(splitCommand(command)).toEqual(words);
  });

  test.each([
    ["run 'a", "has a ' without its end"],
    ['run "a', 'has a " without its end'],
    ["run a\\", "ends with a backslash"],
    ["  ", "names no program"],
  ])("%s is refused", (command, why) => {
    expect(() => splitCommand(command)).toThrow(why);
  });

  test.each(["a", "./a-b.py", "", "it's", "a b", `"\\$'`, "é"])("%j is quoted so that it is one word", (word) => {
    expect(splitCommand(quoteWord(word))).toEqual([word]);
  });
});
