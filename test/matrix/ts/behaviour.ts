/** What the behaviours have in common. */

import { AnyplugError, type Code, codeName } from "@anyplug/core";
import { expect } from "@jest/globals";
import type { Cell } from "./cell.js";

/** Tries one behaviour of test/matrix/behaviours.json in one cell. */
export type Behaviour = (cell: Cell) => Promise<void>;

/** Expects that the promise fails with this code, and a message in which each of the texts occurs; returns the error. */
export async function failure(promise: Promise<unknown>, code: Code, ...texts: string[]): Promise<AnyplugError> {
  const error = await promise.then(
    (value) => new Error(`it succeeded with ${String(value)}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof AnyplugError)) throw error;
  expect(`${codeName(error.code)}: ${error.message}`).toContain(codeName(code));
  for (const text of texts) expect(error.message).toContain(text);
  return error;
}

/** All that a stream gives. */
export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of stream) all.push(one);
  return all;
}
