/** A cursor over the tokens of a script: what comes next, which lists are open, and what is wrong here. */

import { ScriptError } from "./errors.js";
import { describe, isWord, type Token, tokensOf } from "./tokens.js";

/** The highest rank, and the most words that a number in a decomposition can stand for. */
export const maxNumber = 999_999;

/** Reads a script token by token. */
export class Reader {
  /** The token that comes next, at the end an empty one. */
  next: Token;
  private readonly tokens: Iterator<Token, void>;
  private readonly opened: Token[] = [];

  /**
   * Stands before the first token.
   *
   * @throws ScriptError if the script is too long
   */
  constructor(script: string) {
    this.tokens = tokensOf(script);
    this.next = this.tokens.next().value ?? { text: "", line: 1, column: 1 };
  }

  /** Returns whether the next token is one of these; the empty one is the end. */
  at(...texts: readonly string[]): boolean {
    return texts.includes(this.next.text);
  }

  /** Returns the next token and goes past it. */
  take(): Token {
    const taken = this.next;
    this.next = this.tokens.next().value ?? taken;
    return taken;
  }

  /** Goes past the bracket that opens a list, of which `form` says why it is due here. */
  open(form: string): void {
    if (!this.at("(")) throw this.unexpected(form);
    this.opened.push(this.take());
  }

  /** Goes past the bracket that closes the list opened last. The next token is known to be one. */
  close(): void {
    this.opened.pop();
    this.take();
  }

  /** Takes and yields the tokens to the end of a list, in which there are no lists. */
  *plainTokens(form: string): Generator<Token, void> {
    while (!this.at(")")) {
      if (this.at("(", "")) throw this.unexpected(form);
      yield this.take();
    }
  }

  /** Takes a word, which is not a number. */
  word(form: string): Token {
    if (!isWord(this.next)) throw this.unexpected(form);
    return this.take();
  }

  /**
   * Returns the number that the token says.
   *
   * @throws ScriptError if it is above maxNumber
   */
  number(token: Token): number {
    const digits = token.text.replace(/^0+/, "");
    if (digits.length > String(maxNumber).length) {
      throw this.error(`a number is at most ${maxNumber}; found ${describe(token)}`, token);
    }
    return Number(digits);
  }

  /** Returns the error that the next token does not fit the form; at the end, that a list was left open. */
  unexpected(form: string): ScriptError {
    const innermost = this.opened.at(-1);
    if (this.at("") && innermost !== undefined) return this.error("this list is not closed", innermost);
    const reason = `${form}; found ${describe(this.next)}`;
    const outermost = this.opened[0];
    // Often a bracket is missing further up.
    if (outermost === undefined || outermost.line === this.next.line) return this.error(reason, this.next);
    return this.error(`${reason}, in the list that opens in line ${outermost.line}`, this.next);
  }

  /** Returns an error at a token. */
  error(reason: string, token: Token): ScriptError {
    return new ScriptError(token.line, token.column, reason);
  }
}
