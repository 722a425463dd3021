/** What the engine refuses, and why. Both are the caller's to correct: an invalid argument. */

/** A script that is not in the form of 1966. */
export class ScriptError extends Error {
  override readonly name = "ScriptError";

  /**
   * @param line where `reason` was found, counted from 1
   * @param column the character (Unicode code point) in that line, counted from 1
   * @param reason what is wrong there
   */
  constructor(
    readonly line: number,
    readonly column: number,
    readonly reason: string,
  ) {
    super(`line ${line}, column ${column}: ${reason}`);
  }
}

/** A line or a session id that is too long. The message names the limit. */
export class InputError extends Error {
  override readonly name = "InputError";
}
