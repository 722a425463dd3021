/** A stream of what a function gives on its way, ended by what it returns. */

/**
 * Runs `work` and yields what it gives to its argument, as it comes, then what it returns. What `work` throws ends the stream.
 * When the stream is left early, what still comes is dropped; `work` is told by the signal of its call.
 */
export async function* streamed<T>(work: (give: (event: T) => void) => Promise<T>): AsyncGenerator<T, void, undefined> {
  const events: T[] = [];
  let wake: () => void = () => {};
  const give = (event: T): void => {
    events.push(event);
    wake();
  };
  let isOver = false;
  const last = work(give).finally(() => {
    isOver = true;
    wake();
  });
  // What it throws is thrown below, once all that came before was read.
  last.catch(() => {});
  for (;;) {
    const event = events.shift();
    if (event !== undefined) yield event;
    else if (isOver) break;
    else
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
  yield await last;
}
