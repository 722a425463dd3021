/** Turns of Node's event loop, in which timers come before what the system has to tell. */

import { setImmediate } from "node:timers/promises";

/** Resolves when all has been heard that the system had to tell when this was called. */
export async function eventsOfATurn(): Promise<void> {
  // The first is of this turn, whose events may have been heard before.
  await setImmediate();
  await setImmediate();
}

/** Whether the promise resolves within that many milliseconds, or had, when a busy machine comes to look later. */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => eventsOfATurn().then(() => resolve(false)), ms);
  });
  const result = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return result;
}
