/** The tokens of a script: brackets, `=`, comma and period, and words. */

import { countCharacters, inScripts } from "./characters.js";
import { ScriptError } from "./errors.js";

/** The longest script that is read, in characters (Unicode code points). */
export const maxScriptCharacters = 1_048_576;

const singles = "()=,.";
const shownCharacters = 40;

/** A bracket, `=`, a comma, a period or a word in capitals, and where it stands. The end of the script is empty. */
export interface Token {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/** Returns whether the token consists of the digits 0 to 9. */
export function isNumber(token: Token): boolean {
  return /^[0-9]+$/.test(token.text);
}

/** Returns whether the token is a word with a letter or sign in it, which a keyword must be. */
export function isWord(token: Token): boolean {
  return token.text !== "" && !singles.includes(token.text) && !isNumber(token);
}

/** Returns how an error names the token. */
export function describe(token: Token): string {
  if (token.text === "") return "the end of the script";
  const characters = [...token.text];
  const shown =
    characters.length <= shownCharacters ? token.text : `${characters.slice(0, shownCharacters).join("")}...`;
  return `"${shown}"`;
}

/**
 * Yields the tokens, and an empty one at the end.
 *
 * @throws ScriptError if the script is longer than maxScriptCharacters
 */
export function* tokensOf(script: string): Generator<Token, void> {
  const characters = script.length <= maxScriptCharacters ? script.length : countCharacters(script);
  if (characters > maxScriptCharacters) {
    throw new ScriptError(1, 1, `the script has ${characters} characters, and at most ${maxScriptCharacters} are read`);
  }
  let line = 1;
  let column = 0;
  let word: string[] = [];
  for (const character of script) {
    column += 1;
    const space = character <= " " || character === "\u00a0" || character === "\ufeff";
    const single = singles.includes(character);
    if ((space || single) && word.length > 0) {
      yield { text: word.join(""), line, column: column - word.length };
      word = [];
    }
    if (single) {
      yield { text: character, line, column };
    } else if (character === "\n") {
      line += 1;
      column = 0;
    } else if (!space) {
      word.push(inScripts.get(character) ?? character);
    }
  }
  if (word.length > 0) yield { text: word.join(""), line, column: column + 1 - word.length };
  yield { text: "", line, column: column + 1 };
}
