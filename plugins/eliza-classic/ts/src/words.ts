/** From a line to its words, and from the words of an answer to its text. */

import { countCharacters, inLines } from "./characters.js";
import { InputError } from "./errors.js";

/** The longest line that is answered, in characters (Unicode code points). */
export const maxLineCharacters = 65_536;

/**
 * Returns the words of a line in capitals, a comma or a period being a word of its own. Apostrophes and hyphens count
 * inside a word only, so that a quoted keyword is found.
 *
 * @throws InputError if the line is longer than maxLineCharacters
 */
export function wordsOf(line: string): string[] {
  if (line.length > maxLineCharacters) {
    const characters = countCharacters(line);
    if (characters > maxLineCharacters) {
      throw new InputError(
        `the line has ${characters} characters, and at most ${maxLineCharacters} are answered: say it in parts`,
      );
    }
  }
  const plain = plainOf(line);
  const words: string[] = plain.match(/[,.]|[^ ,.]+/g) ?? [];
  return plain.includes("'") || plain.includes("-") ? words.map(bare).filter((word) => word !== "") : words;
}

/** Returns the words as one text: single spaces between them, and none before a comma or a period. */
export function textOf(words: readonly string[]): string {
  return words.join(" ").replaceAll(" ,", ",").replaceAll(" .", ".");
}

/** Puts what it counts as in place of every character. */
function plainOf(line: string): string {
  // toUpperCase is used for ASCII only: what it does to other letters depends on the version of Unicode.
  if (/^[\0-\x7f]*$/.test(line)) return line.replace(/[^A-Za-z0-9 ,.'-]/g, stands).toUpperCase();
  return line.replace(/[^A-Z0-9 ,.'-]/gu, stands);
}

function stands(character: string): string {
  return inLines.get(character) ?? character;
}

/** Strips apostrophes and hyphens from both ends. No regular expression: one would look at long runs again and again. */
function bare(word: string): string {
  let start = 0;
  let end = word.length;
  while (start < end && isMark(word.charCodeAt(start))) start += 1;
  while (start < end && isMark(word.charCodeAt(end - 1))) end -= 1;
  return word.slice(start, end);
}

function isMark(code: number): boolean {
  return code === 0x27 || code === 0x2d;
}
