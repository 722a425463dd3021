/** What is refused, and in which words. */

import { AnyplugError, Code } from "@anyplug/sdk";

/** As many dimensions as a vector may have. */
export const MAX_DIMENSIONS = 65_536;

/** Returns INVALID_ARGUMENT. */
export function refusal(message: string): AnyplugError {
  return new AnyplugError(Code.InvalidArgument, message);
}

/** Refuses names and keys that are empty, or that are no text. */
export function checkName(place: string, name: string): void {
  if (name === "") throw refusal(`${place}: expected text, got nothing`);
  checkText(place, name);
}

/** Refuses what no message can carry; between plugins of one process there is none. */
export function checkText(place: string, text: string): void {
  if (/\p{Surrogate}/u.test(text)) throw refusal(`${place}: expected Unicode text, got half of a surrogate pair`);
}

/** Returns the numbers as floats. */
export function floatsOf(place: string, vector: readonly number[]): Float32Array {
  const floats = new Float32Array(vector);
  const wrong = floats.findIndex((float) => !Number.isFinite(float));
  if (wrong >= 0) throw refusal(`${place}[${wrong}]: expected a finite number of 32 bits`);
  return floats;
}

/** Refuses a vector that has other dimensions than the collection; 0 says that it has none yet. */
export function checkDimensions(place: string, got: number, expected: number, collection: string): void {
  if (expected !== 0 && got !== expected) {
    throw refusal(`${place}: expected ${expected} dimensions, as collection "${collection}" has, got ${got}`);
  }
  if (got > MAX_DIMENSIONS) throw refusal(`${place}: expected at most ${MAX_DIMENSIONS} dimensions, got ${got}`);
}

/** Returns a parameter, or its usual value for 0. */
export function parameter(place: string, value: number, usual: number, least: number, most: number): number {
  const chosen = value || usual;
  if (chosen < least || chosen > most) throw refusal(`${place}: expected ${least} to ${most}, got ${chosen}`);
  return chosen;
}
