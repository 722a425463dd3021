/** Splits a command as a shell would, without expansion. */

import { AnyplugError, Code } from "@anyplug/core";

/**
 * Returns the words of `command`: separated by blanks, quoted by '…' or "…", a backslash takes the next character as it is (inside "…" only before " and \).
 *
 * @throws AnyplugError INVALID_ARGUMENT for a quote without its end, a backslash at the end, or no word at all.
 */
export function splitCommand(command: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let i = 0; i < command.length; i++) {
    const char = command.charAt(i);
    if (quote === "'" && char !== "'") {
      word += char;
    } else if (char === "\\" && (quote === "" || '"\\'.includes(command.charAt(i + 1)))) {
      i += 1;
      if (i === command.length) throw invalid(command, "ends with a backslash");
      word = (word ?? "") + command.charAt(i);
    } else if (quote !== "") {
      if (char === quote) quote = "";
      else word += char;
    } else if (char === "'" || char === '"') {
      quote = char;
      word ??= "";
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + char;
    }
  }
  if (quote !== "") throw invalid(command, `has a ${quote} without its end`);
  if (word !== undefined) words.push(word);
  if (words.length === 0) throw invalid(command, "names no program");
  return words;
}

/** Returns `word` so that `splitCommand` gives it back as one. */
export function quoteWord(word: string): string {
  return /^[\w./:@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function invalid(command: string, why: string): AnyplugError {
  return new AnyplugError(Code.InvalidArgument, `the command ${JSON.stringify(command)} ${why}`);
}
